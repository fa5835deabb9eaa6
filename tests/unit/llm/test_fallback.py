import pytest

from support_agents.domain.errors import AskedToWaitError, SupportError
from support_agents.llm.breaker import Breaker, Circuit
from support_agents.llm.fallback import FallbackModel, Provided
from support_agents.ports import Completed, StopReason
from support_agents.testing.llm import Pause, ScriptedModel, Step
from tests.fixtures.models import a_run, heard

FAULTS = [
    SupportError("llm_unavailable", "500", retryable=True),
    SupportError("llm_overloaded", "529", retryable=True),
    SupportError("llm_timeout", "late", retryable=True),
    SupportError("llm_broken_stream", "gone", retryable=True),
    SupportError("llm_bad_response", "not JSON"),
    SupportError("llm_auth", "401"),
    SupportError("llm_spent", "the month's limit"),
    AskedToWaitError("llm_rate_limited", "429", seconds=30),
]


def model(name: str, *script: Step) -> ScriptedModel:
    return ScriptedModel(script, name=name)


def fallback(*models: ScriptedModel) -> FallbackModel:
    return FallbackModel([Provided(one, Breaker()) for one in models])


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.code)
async def test_a_fault_before_the_first_word_leads_to_the_next(fault: SupportError) -> None:
    said, _, by = await heard(fallback(model("first", fault), model("second", "b")))
    assert (said, by) == ("b", ("second",))


async def test_once_a_word_is_out_the_speaker_stays() -> None:
    second = model("second", "b")
    with pytest.raises(SupportError) as caught:
        await heard(fallback(model("first", "a", FAULTS[3]), second))
    assert caught.value.code == "llm_broken_stream"
    assert second.prompts == []


@pytest.mark.parametrize("code", ["llm_busy", "llm_budget"])
async def test_what_is_ours_is_not_asked_of_another(code: str) -> None:
    second = model("second", "b")
    with pytest.raises(SupportError) as caught:
        await heard(fallback(model("first", SupportError(code, "ours")), second))
    assert caught.value.code == code
    assert second.prompts == []


async def test_the_last_fault_is_told_when_nobody_speaks() -> None:
    with pytest.raises(SupportError) as caught:
        await heard(fallback(model("first", FAULTS[0]), model("second", FAULTS[1])))
    assert caught.value.code == "llm_overloaded"


async def test_a_wait_that_fits_the_deadline_is_kept() -> None:
    breaker = Breaker()
    breaker.failed(AskedToWaitError("llm_rate_limited", "429", seconds=0.1))
    only = model("only", "b")
    assert (await heard(FallbackModel([Provided(only, breaker)]), a_run(5)))[0] == "b"
    assert len(only.prompts) == 1


async def test_a_wait_beyond_the_deadline_is_not_waited_for() -> None:
    only = model("only", AskedToWaitError("llm_rate_limited", "429", seconds=2))
    with pytest.raises(SupportError) as caught:
        await heard(fallback(only), a_run(2))
    assert caught.value.code == "llm_rate_limited"
    assert len(only.prompts) == 1


async def test_a_provider_that_asked_for_time_is_left_alone_by_all_runs() -> None:
    first, second = model("first", AskedToWaitError("llm_rate_limited", "429", seconds=60)), model("second", "b")
    both = fallback(first, second)
    for _ in range(3):
        assert (await heard(both))[0] == "b"
    assert len(first.prompts) == 1


async def test_an_open_circuit_is_not_called_and_closes_with_a_probe() -> None:
    seconds = 0.0
    first, second = model("first", FAULTS[0]), model("second", "b")
    breaker = Breaker(failures=2, seconds=10, now=lambda: seconds)
    both = FallbackModel([Provided(first, breaker), Provided(second, Breaker())])
    for _ in range(5):
        await heard(both)
    assert len(first.prompts) == 2
    seconds = 10.0
    mended = FallbackModel([Provided(model("first", "a"), breaker), Provided(second, Breaker())])
    assert (await heard(mended))[0] == "a"
    assert breaker.circuit is Circuit.CLOSED


async def test_a_refusal_is_an_answer_of_its_own_kind() -> None:
    first, second = model("first", Completed(StopReason.REFUSED)), model("second", "b")
    assert (await heard(fallback(first, second)))[1].stop is StopReason.REFUSED
    assert second.prompts == []


async def test_a_slow_first_provider_leaves_the_rest_of_the_deadline() -> None:
    with pytest.raises(SupportError) as caught:
        await heard(fallback(model("first", Pause(9)), model("second", Pause(9))), a_run(0.1))
    assert caught.value.code == "llm_timeout"
