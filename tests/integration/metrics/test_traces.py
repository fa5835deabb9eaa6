"""Finished runs leave as spans: each once, with times and ids of the record, and no word from outside."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from api.settings import load
from api.telemetry.traces import Traces, sender_of, spans_of
from db.read_models.traces import traced
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE
from tests.fixtures.installation import UNHURRIED, Installation, event, open_installation
from tests.integration.metrics.test_log_lines import SAID
from tests.peers.collector import Collector


@pytest.fixture
async def watched(database_url: str, tmp_path: Path) -> AsyncIterator[Installation]:
    """An installation that does not send by itself yet, on each kind of database."""
    settings = {**UNHURRIED, "database_url": database_url, "data_dir": tmp_path / "data"}
    async with open_installation(settings) as opened:
        yield opened


def told(span: Any) -> dict[str, str]:
    return {one.key: one.value.string_value for one in span.attributes}


async def one_more(house: Installation, number: int) -> str:
    """Send a message and wait until its run is finished and sealed; returns the ticket."""
    name = f"T-{number}"
    answer = await house.send(event(text=SAID, html=f"<p>{SAID}</p>", ticket_id=name, message_id=name))
    async with house.working():
        await house.settled()
        async with asyncio.timeout(120):
            while await _unsealed(house):  # noqa: ASYNC110 - nothing tells a test of a seal
                await asyncio.sleep(0.05)
    return str(answer.json()["ticket_id"])


async def _unsealed(house: Installation) -> bool:
    async with house.container.database.read() as uow:
        return bool(await uow.audit.unsealed(DEFAULT_WORKSPACE, limit=1))


async def test_a_run_is_one_trace_without_a_word_of_the_customer(watched: Installation, collector: Collector) -> None:
    traces = Traces(watched.container.database, sender_of(f"{collector.base_url}/v1/traces"))
    await traces.run()
    ticket = await one_more(watched, 1)
    collector.away = True
    await traces.run()
    assert (collector.refused, collector.bodies) == (1, [])
    collector.away = False
    await traces.run()
    await traces.run()
    spans = collector.spans()
    (root,) = [span for span in spans if span.name == "run"]
    assert told(root)["support.ticket"] == ticket
    assert root.trace_id.hex() == told(root)["support.run"].replace("-", "")
    assert {span.trace_id for span in spans} == {root.trace_id}
    assert len({span.span_id for span in spans}) == len(spans)
    stages = [span for span in spans if span.name.startswith("stage ")]
    assert len(stages) > 3
    for span in stages:
        assert span.parent_span_id == root.span_id
        assert root.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
        assert span.end_time_unix_nano <= root.end_time_unix_nano
    sent = b"".join(collector.bodies)
    for word in (*SAID.split(), "anna", "Anna", "example.com", "A return"):
        if len(word) > 3:
            assert word.encode() not in sent, word


async def test_what_is_sent_twice_is_the_same_trace(watched: Installation) -> None:
    await one_more(watched, 2)
    async with watched.container.database.read() as uow:
        found = await traced(uow, DEFAULT_WORKSPACE, after=0, limit=500)
    (run,) = found.runs
    first, second = ([span.to_json() for span in spans_of(run)] for _ in range(2))
    assert first == second


async def test_the_setting_makes_the_scheduler_send(database_url: str, tmp_path: Path, collector: Collector) -> None:
    settings = {**UNHURRIED, "database_url": database_url, "data_dir": tmp_path / "data"}
    async with open_installation({**settings, "traces_url": f"{collector.base_url}/v1/traces"}) as house:
        await house.send(event(text=SAID))
        async with house.working(), asyncio.timeout(120):
            while not collector.bodies:  # noqa: ASYNC110 - nothing tells a test of a span
                await asyncio.sleep(0.05)
    assert "run" in {span.name for span in collector.spans()}


def test_an_address_without_a_scheme_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SupportError, match="SUPPORT_TRACES_URL"):
        load({"data_dir": tmp_path, "traces_url": "phoenix:6006"})
