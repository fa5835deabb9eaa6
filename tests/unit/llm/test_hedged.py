import asyncio
from contextlib import aclosing
from typing import Any, cast

import pytest

from support_agents.domain.errors import SupportError
from support_agents.llm.hedged import HedgedModel, HedgeQuota, Patience
from support_agents.llm.timed import Latency
from support_agents.ports import LanguageModel
from support_agents.testing.llm import Pause, ScriptedModel, Step
from tests.fixtures.models import a_prompt, a_run, heard

pytestmark = pytest.mark.still_time

SILENT: tuple[Step, ...] = (Pause(30), "too late")
PATIENCE = Patience(Latency(), until_known=0.05)
BROKEN = SupportError("llm_unavailable", "broken", retryable=True)


def model(name: str, *script: Step) -> ScriptedModel:
    return ScriptedModel(script, name=name)


def hedged(first: LanguageModel, second: LanguageModel, share: float = 1.0) -> HedgedModel:
    return HedgedModel(first, second, PATIENCE, HedgeQuota(share))


async def test_a_first_call_that_speaks_in_time_stays_alone() -> None:
    second = model("second", "b")
    said, _, by = await heard(hedged(model("first", "a", Pause(0.2), "a"), second))
    assert (said, by) == ("aa", ("first",))
    assert second.prompts == []


async def test_a_silent_call_is_joined_by_a_second_and_then_cancelled() -> None:
    before = asyncio.all_tasks()
    said, end, by = await heard(hedged(model("first", *SILENT), model("second", "b", "b")), a_run(10))
    assert (said, by, end.tokens_out) == ("bb", ("second",), 2)
    assert asyncio.all_tasks() == before


async def test_the_first_may_still_win() -> None:
    said, _, by = await heard(hedged(model("first", Pause(0.15), "a"), model("second", *SILENT)), a_run(10))
    assert (said, by) == ("a", ("first",))


async def test_one_of_two_may_fail() -> None:
    for first, second in (
        (model("first", Pause(0.1), BROKEN), model("second", Pause(0.2), "b")),
        (model("first", Pause(0.3), "b"), model("second", BROKEN)),
    ):
        assert (await heard(hedged(first, second), a_run(10)))[0] == "b"


async def test_when_both_fail_the_caller_hears_of_it() -> None:
    with pytest.raises(SupportError) as caught:
        await heard(hedged(model("first", Pause(0.2), BROKEN), model("second", BROKEN)))
    assert caught.value is BROKEN


async def test_a_call_that_fails_at_once_is_not_hedged() -> None:
    second = model("second", "b")
    with pytest.raises(SupportError):
        await heard(hedged(model("first", BROKEN), second))
    assert second.prompts == []


async def test_second_calls_stay_within_their_share() -> None:
    second = model("second", "b")
    quota = HedgeQuota(0.1)
    tried = HedgedModel(model("first", Pause(0.06), "a"), second, PATIENCE, quota)
    for _ in range(40):
        await heard(tried)
    assert len(second.prompts) == 5, "one saved up at the start, and one for ten calls"


async def test_no_share_means_no_second_call() -> None:
    second = model("second", "b")
    with pytest.raises(SupportError):
        await heard(hedged(model("first", *SILENT), second, share=0.0), a_run(0.2))
    assert second.prompts == []


async def test_patience_is_learnt() -> None:
    latency = Latency()
    patience = Patience(latency, share=0.9, until_known=0.9)
    assert patience.seconds == 0.9
    for number in range(1, 101):
        latency.saw_first(number / 200)
    assert patience.seconds == pytest.approx(0.45)


async def test_a_caller_that_leaves_ends_both_calls() -> None:
    before = asyncio.all_tasks()
    stream = cast("Any", hedged(model("first", *SILENT), model("second", "b", Pause(30))).stream(a_prompt(), a_run(60)))
    async with aclosing(stream):
        await anext(stream)
    waiting = asyncio.ensure_future(heard(hedged(model("first", *SILENT), model("second", *SILENT)), a_run(60)))
    await asyncio.sleep(0.15)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert asyncio.all_tasks() == before
