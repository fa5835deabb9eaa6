from collections.abc import Iterator
from contextlib import aclosing
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support_agents.domain.errors import SupportError
from support_agents.llm.timed import Latency, TimedModel
from support_agents.testing.llm import Pause, ScriptedModel
from tests.fixtures.models import a_prompt, a_run, heard


def test_nothing_is_known_before_enough_calls() -> None:
    latency = Latency()
    for _ in range(19):
        latency.saw_first(0.5)
    assert latency.first_token(0.9) is None
    latency.saw_first(0.5)
    assert latency.first_token(0.9) == 0.5


def test_a_share_of_calls_spoke_within_the_quantile() -> None:
    latency = Latency()
    for number in range(1, 101):
        latency.saw_first(number / 100)
    assert latency.first_token(0.9) == pytest.approx(0.9)
    assert latency.first_token(1.0) == pytest.approx(1.0)


def test_what_is_long_ago_is_forgotten() -> None:
    latency = Latency()
    for seconds in [9.0] * 600 + [1.0] * 512:
        latency.saw_first(seconds)
    assert latency.first_token(1.0) == 1.0


@given(came=st.lists(st.sampled_from([0.1, 0.2, 0.5, 0.9, 3.0]), min_size=20, max_size=700), share=st.floats(0, 1))
def test_a_quantile_is_that_of_the_last_calls(came: list[float], share: float) -> None:
    latency = Latency()
    for seconds in came:
        latency.saw_end(seconds)
    last = sorted(came[-512:])
    found = latency.total(share)
    assert found is not None
    assert sum(one <= found for one in last) >= share * len(last)
    assert sum(one < found for one in last) < max(1, share * len(last))


def ticking(*seconds: float) -> Any:
    times: Iterator[float] = iter(seconds)
    return lambda: next(times)


async def test_first_word_and_end_are_measured_from_the_call() -> None:
    latency = Latency()
    for _ in range(20):
        await heard(TimedModel(ScriptedModel(("a", "b")), latency, now=ticking(10.0, 10.4, 12.0)))
    assert latency.first_token(0.5) == pytest.approx(0.4)
    assert latency.total(0.5) == pytest.approx(2.0)


async def test_a_call_given_up_in_silence_counts_as_at_least_that_long() -> None:
    latency = Latency()
    for _ in range(20):
        with pytest.raises(SupportError):
            await heard(TimedModel(ScriptedModel((Pause(9),)), latency, now=ticking(1.0, 2.5)), a_run(0.01))
    assert latency.first_token(0.5) == 1.5


async def test_a_refused_call_teaches_nothing_about_time() -> None:
    latency = Latency()
    for _ in range(20):
        with pytest.raises(SupportError):
            await heard(TimedModel(ScriptedModel((SupportError("llm_rate_limited", "slow down"),)), latency))
    assert latency.first_token(0.5) is None


async def test_an_abandoned_answer_has_no_total() -> None:
    latency = Latency()
    for _ in range(20):
        stream = cast("Any", TimedModel(ScriptedModel(("one", Pause(5))), latency).stream(a_prompt(), a_run()))
        async with aclosing(stream):
            await anext(stream)
    assert latency.first_token(0.5) is not None
    assert latency.total(0.5) is None
