"""I5 under load: of many messages in one instant all end in time, and those that cannot be drafted cost nothing."""

import asyncio
from dataclasses import replace

import pytest

from support_agents.admission import Lane
from support_agents.domain.runs import Outcome
from support_agents.ladder import HURRIED, TOO_BUSY
from support_agents.stages import Shares
from support_agents.testing.llm import Pause
from tests.fixtures.pipeline import Parts, a_run, ran, ticket
from tests.fixtures.still_time import seconds_now
from tests.unit.test_pipeline_outcomes import GREETING, MARGIN, QUESTION, WHOLE, assert_whole

pytestmark = pytest.mark.still_time

SECONDS = 2.0


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    ran(Parts(), ticket(QUESTION), seconds=30)


class Slow:
    """An embedder that takes a while, like a machine with too much to do."""

    def __init__(self, real: object, seconds: float) -> None:
        self._real, self._seconds = real, seconds

    async def embed(self, texts: object) -> object:
        await asyncio.sleep(self._seconds)
        return await self._real.embed(texts)  # type: ignore[attr-defined]


async def test_i5_of_a_hundred_at_once_all_end_in_time_and_the_rest_is_refused_at_once() -> None:
    real = (await Parts().runner()).pipeline.embedder
    runner = await Parts(replaced={"embedder": Slow(real, 0.15), "lane": Lane(2), "shares": Shares()}).runner()

    async def one() -> tuple[float, Outcome, str]:
        began = seconds_now()
        record = await runner.run(ticket(QUESTION), a_run(SECONDS))
        assert_whole(record)
        return seconds_now() - began, record.outcome, record.reason

    ended = await asyncio.gather(*(one() for _ in range(100)))
    refused = [took for took, outcome, reason in ended if reason == TOO_BUSY]
    drafted = [took for took, outcome, _ in ended if outcome.has_draft]
    assert drafted
    assert max(took for took, _, _ in ended) < SECONDS + MARGIN
    assert len(refused) > 50
    assert sorted(refused)[len(refused) // 2] < min(drafted) + SECONDS / 2, "most are told long before the deadline"


async def test_who_had_to_wait_too_long_for_a_model_is_answered_without_one() -> None:
    runner = await Parts(script=(GREETING, WHOLE), spare=True).runner()
    record = await runner.run(ticket(QUESTION), a_run(0.5))
    assert record.outcome is Outcome.EXTRACTIVE
    assert record.reason == "too little time was left to ask a language model"
    assert [call.model for call in record.model_calls] == ["extractive"]


async def test_nothing_is_quoted_beside_a_model_that_has_said_enough() -> None:
    runner = await Parts(
        script=(GREETING, WHOLE, "After that ", Pause(20)), spare=True, replaced={"shares": Shares()}
    ).runner()
    record = await runner.run(ticket(QUESTION), a_run(2.0))
    assert record.outcome is Outcome.SHORTENED
    assert [call.model for call in record.model_calls] == ["scripted"]


async def test_quotes_are_made_beside_a_model_that_is_still_silent_and_in_time() -> None:
    runner = await Parts(script=(Pause(20),), spare=True).runner()
    record = await runner.run(ticket(QUESTION), a_run(2.0))
    assert record.outcome is Outcome.EXTRACTIVE
    stages = {timing.stage: timing for timing in record.timings}
    assert stages["spare drafting"].started_ms > stages["drafting"].started_ms
    drafting = stages["drafting"]
    assert stages["spare drafting"].started_ms < drafting.started_ms + drafting.took_ms


async def test_a_hurried_run_asks_no_model_and_says_so() -> None:
    runner = await Parts(script=(GREETING, WHOLE), spare=True, replaced={"shares": Shares()}).runner()
    record = await runner.run(ticket(QUESTION), replace(a_run(SECONDS), hurried=True))
    assert record.outcome is Outcome.EXTRACTIVE
    assert record.reason == HURRIED
    assert [call.model for call in record.model_calls] == ["extractive"]
    assert_whole(record)
