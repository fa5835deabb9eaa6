"""More than can be done: cheaper drafts first, then 429 to who comes again; what was acknowledged is all done (I4)."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.errors import MEDIA_TYPE
from api.pressure import Pressure
from api.worker.handlers import TicketReceivedHandler
from support_agents.domain.ids import DEFAULT_WORKSPACE
from tests.fixtures.brokers import broker_address
from tests.fixtures.installation import Installation, event, open_installation

REFUSED = 3


@pytest.fixture
async def narrow(database_url: str, tmp_path: Path) -> AsyncIterator[Installation]:
    """An installation that is hurried by the second waiting message and full with the third."""
    bounds = {"hurry_events": 2, "hurry_seconds": 600, "refuse_events": REFUSED, "refuse_seconds": 600}
    given = {"database_url": database_url, "data_dir": tmp_path / "data", "retrying_sources": "standard"}
    async with open_installation(given | bounds) as opened:
        yield opened


async def filled(installation: Installation) -> None:
    """As many messages wait as make it full."""
    for number in range(REFUSED):
        answer = await installation.send(event(message_id=f"M-{number}", ticket_id=f"T-{number}"))
        assert answer.status_code == 202
        await installation.container.admission.pressure.look()


async def metric(installation: Installation, name: str, **labels: str) -> float | None:
    token = {"Authorization": f"Bearer {installation.container.key.local_token}"}
    text = (await installation.client.get("/metrics", headers=token)).text
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return next((sample.value for sample in samples if sample.name == name and sample.labels == labels), None)


def assert_asked_to_wait(answer: httpx.Response, code: str) -> None:
    assert (answer.status_code, answer.headers["content-type"]) == (429, MEDIA_TYPE)
    assert answer.json()["code"] == code
    assert 1 <= int(answer.headers["retry-after"]) < 60, "Zendesk obeys less than a minute only"


async def test_i4_a_full_house_asks_who_comes_again_to_wait_and_takes_what_would_be_lost(narrow: Installation) -> None:
    await filled(narrow)
    before = await narrow.counts()
    late = event(message_id="M-late", ticket_id="T-late")
    assert_asked_to_wait(await narrow.send(late), "overloaded")
    assert await narrow.counts() == before, "nothing of what was refused is kept"
    other = await narrow.send(event(message_id="Z-1", ticket_id="Z-1"), source="zendesk")
    assert other.status_code == 202, "a source that does not come again is taken whatever waits"
    assert await metric(narrow, "support_pressure") == Pressure.FULL
    assert await metric(narrow, "support_webhooks_refused_total", source="standard", code="overloaded") == 1

    async with narrow.working():
        await narrow.settled(30)
    await narrow.container.admission.pressure.look()
    assert (await narrow.send(late)).status_code == 202, "the sender's next try is taken"
    async with narrow.working():
        await narrow.settled(30)
    counts = await narrow.counts()
    assert (counts["inbox"], counts["runs"]) == (REFUSED + 2, REFUSED + 2), "each acknowledged message has its run"


async def test_a_stranger_is_told_nothing_of_the_pressure_and_uses_up_nobodys_share(narrow: Installation) -> None:
    await filled(narrow)
    answer = await narrow.client.post("/webhooks/standard", content=b"{}")
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")


async def test_pressure_rises_by_what_nobody_has_begun_and_falls_when_it_is_done(narrow: Installation) -> None:
    gauge, levels = narrow.container.admission.pressure, []
    await gauge.look()
    levels.append(gauge.level)
    for number in range(REFUSED):
        await narrow.send(event(message_id=f"M-{number}", ticket_id=f"T-{number}"))
        await gauge.look()
        levels.append(gauge.level)
    assert levels == [Pressure.CALM, Pressure.CALM, Pressure.HURRIED, Pressure.FULL]
    async with narrow.working():
        await narrow.settled(30)
    await gauge.look()
    assert gauge.level is Pressure.CALM


async def test_the_oldest_messages_wait_counts_as_well(database_url: str, tmp_path: Path) -> None:
    given = {"database_url": database_url, "data_dir": tmp_path / "data", "hurry_seconds": 0.02, "refuse_seconds": 600}
    async with open_installation(given) as opened:
        await opened.send(event())
        await asyncio.sleep(0.05)
        await opened.container.admission.pressure.look()
        assert opened.container.admission.pressure.level is Pressure.HURRIED


async def test_runs_and_the_door_go_by_one_gauge(narrow: Installation) -> None:
    handlers = narrow.container.worker._loops["relay"]._dispatcher.handlers  # type: ignore[attr-defined]
    handler = next(each for each in handlers.values() if isinstance(each, TicketReceivedHandler))
    assert handler.pressure is narrow.container.admission.pressure, "worker and door look at one gauge"


def limited(url: str, folder: Path, **more: object) -> Mapping[str, object]:
    return {"database_url": url, "data_dir": folder, "rate_limits": "standard=2/minute"} | more


async def test_a_source_that_comes_too_often_is_asked_to_wait_and_another_is_not(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with open_installation(limited(sqlite_url, tmp_path / "data")) as opened:
        for number in range(2):
            assert (await opened.send(event(message_id=f"M-{number}"))).status_code == 202
        assert_asked_to_wait(await opened.send(event(message_id="M-2")), "rate_limited")
        unsigned = await opened.client.post("/webhooks/standard", content=b"{}")
        assert unsigned.status_code == 401
        assert (await opened.send(event(message_id="Z"), source="zendesk")).status_code == 202
        assert await metric(opened, "support_webhooks_refused_total", source="standard", code="rate_limited") == 1
        async with opened.container.database.read() as uow:
            assert len(await uow.inbox.buried(DEFAULT_WORKSPACE)) == 0


async def test_two_apis_count_together_in_one_redis(sqlite_template: Path, sqlite_url: str, tmp_path: Path) -> None:
    shared = {"rate_limits_url": broker_address("redis"), "broker_prefix": f"t{uuid4().hex[:12]}"}
    second = tmp_path / "second.db"
    await asyncio.to_thread(shutil.copyfile, sqlite_template, second)
    async with (
        open_installation(limited(sqlite_url, tmp_path / "one", **shared)) as one,
        open_installation(limited(f"sqlite+aiosqlite:///{second}", tmp_path / "two", **shared)) as other,
    ):
        assert (await one.send(event(message_id="1"))).status_code == 202
        assert (await other.send(event(message_id="2"))).status_code == 202
        assert_asked_to_wait(await one.send(event(message_id="3")), "rate_limited")
        assert_asked_to_wait(await other.send(event(message_id="4")), "rate_limited")


async def test_i4_a_store_that_cannot_be_asked_refuses_nobody(sqlite_url: str, tmp_path: Path) -> None:
    away = {"rate_limits_url": "redis://127.0.0.1:1/0"}
    async with open_installation(limited(sqlite_url, tmp_path / "data", **away)) as opened:
        for number in range(4):
            assert (await opened.send(event(message_id=f"M-{number}"))).status_code == 202
