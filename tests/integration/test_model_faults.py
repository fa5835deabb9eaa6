"""Every class of error over real HTTP: named once by the adapters, and what the wrappers then do about it."""

import asyncio
import traceback
from collections.abc import AsyncIterator, Callable
from time import monotonic

import pytest
from pydantic import BaseModel

from support_agents.adapters.anthropic import AnthropicModel
from support_agents.adapters.openai.chat import OpenAiModel
from support_agents.adapters.openai.compatible import PRESETS, openai_compatible
from support_agents.adapters.openai.responses import OpenAiResponsesModel
from support_agents.domain.errors import AskedToWaitError, SupportError
from support_agents.llm.breaker import Breaker, Circuit
from support_agents.llm.fallback import FallbackModel, Provided
from support_agents.llm.hedged import HedgedModel, HedgeQuota, Patience
from support_agents.llm.structured import StructuredModel
from support_agents.llm.timed import Latency
from support_agents.ports import LanguageModel, StopReason
from tests.fixtures.models import a_prompt, a_run, heard
from tests.peers.model_provider import ModelProvider, model_provider
from tests.peers.model_script import pieces_of
from tests.peers.model_weather import INSTANT, Distribution, Fault, Weather

Closable = OpenAiModel | OpenAiResponsesModel | AnthropicModel
Make = Callable[[ModelProvider], Closable]
ANSWER = "Dear Anna, your parcel is on its way and will arrive within two days. Kind regards"
KEY = "sk-secret-of-the-test-0123456789"


def says(*faults: Fault, retry_after: str = "1", distribution: Distribution = INSTANT) -> ModelProvider:
    provider = ModelProvider(Weather(distribution, retry_after=retry_after), says=lambda _: ANSWER)
    provider.weather.plan(faults)
    return provider


@pytest.fixture(params=["chat", "responses", "anthropic"])
async def make(request: pytest.FixtureRequest) -> AsyncIterator[Make]:
    made: list[Closable] = []

    def build(provider: ModelProvider) -> Closable:
        match request.param:
            case "chat":
                made.append(OpenAiModel(api_key=KEY, model="m", base_url=provider.openai_url))
            case "responses":
                made.append(OpenAiResponsesModel(api_key=KEY, model="m", base_url=provider.openai_url))
            case _:
                made.append(AnthropicModel(api_key=KEY, model="m", base_url=provider.base_url))
        return made[-1]

    yield build
    for model in made:
        await model.close()


async def test_a_good_answer_comes_whole_with_its_tokens(make: Make) -> None:
    async with model_provider(says()) as provider:
        said, end, _ = await heard(make(provider))
        assert said == ANSWER
        assert end.stop is StopReason.COMPLETE
        assert (end.tokens_in, end.tokens_out) == (provider.asked[0].tokens_in, len(pieces_of(ANSWER)))
        assert (provider.asked[0].system, provider.asked[0].user) == ("Be kind.", "Where is it?")


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault.UNAUTHORISED, "llm_auth"),
        (Fault.FORBIDDEN, "llm_auth"),
        (Fault.QUOTA, "llm_quota"),
        (Fault.RATE_LIMITED, "llm_rate_limited"),
        (Fault.UNAVAILABLE, "llm_unavailable"),
        (Fault.OVERLOADED, "llm_overloaded"),
        (Fault.DISCONNECT, "llm_broken_stream"),
        (Fault.MALFORMED, "llm_bad_response"),
        (Fault.SILENT, "llm_timeout"),
        (Fault.STALL, "llm_timeout"),
    ],
)
async def test_every_error_has_its_code(make: Make, fault: Fault, code: str) -> None:
    async with model_provider(says(fault)) as provider:
        with pytest.raises(SupportError) as caught:
            # Only who says nothing more is waited for; with the others no deadline may come first.
            await heard(make(provider), a_run(0.5 if code == "llm_timeout" else 60))
    assert caught.value.code == code
    assert "sk-se" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("fault", "stop"),
    [
        (Fault.CUT, StopReason.CUT),
        (Fault.REFUSAL, StopReason.REFUSED),
        (Fault.FILTERED, StopReason.REFUSED),
        (Fault.MAX_TOKENS, StopReason.MAX_TOKENS),
    ],
)
async def test_an_answer_that_is_none_says_how_it_ended(make: Make, fault: Fault, stop: StopReason) -> None:
    async with model_provider(says(fault)) as provider:
        assert (await heard(make(provider)))[1].stop is stop


@pytest.mark.parametrize(
    ("fault", "named", "seconds"),
    [
        (Fault.RATE_LIMITED, "7", 7.0),
        (Fault.RATE_LIMITED, "0.25", 0.25),
        (Fault.RATE_LIMITED, "Wed, 21 Oct 2026", None),
    ],
)
async def test_a_named_wait_is_understood(make: Make, fault: Fault, named: str, seconds: float | None) -> None:
    async with model_provider(says(fault, retry_after=named)) as provider:
        with pytest.raises(SupportError) as caught:
            await heard(make(provider))
    told = caught.value
    assert (told.seconds if isinstance(told, AskedToWaitError) else None) == seconds


NEXT_RUNG = [
    Fault.UNAUTHORISED,
    Fault.FORBIDDEN,
    Fault.QUOTA,
    Fault.RATE_LIMITED,
    Fault.UNAVAILABLE,
    Fault.OVERLOADED,
]


@pytest.mark.parametrize("fault", NEXT_RUNG)
async def test_who_is_turned_away_is_answered_by_the_next_provider(make: Make, fault: Fault) -> None:
    async with model_provider(says(fault)) as first, model_provider(says()) as second:
        breaker = Breaker()
        model = FallbackModel([Provided(make(first), breaker), Provided(make(second), Breaker())])
        assert (await heard(model))[0] == ANSWER
        turned = {Fault.UNAUTHORISED: "llm_auth", Fault.FORBIDDEN: "llm_auth", Fault.QUOTA: "llm_quota"}
        assert breaker.misconfigured == turned.get(fault, "")
        assert (await heard(model))[0] == ANSWER
    asked_again = fault in {Fault.UNAVAILABLE, Fault.OVERLOADED}
    assert len(first.asked) == 1 + asked_again, "one that must be mended or asked for time is left alone"


async def test_a_wait_that_fits_the_deadline_is_kept(make: Make) -> None:
    async with model_provider(says(Fault.RATE_LIMITED, retry_after="0.2")) as provider:
        model = FallbackModel([Provided(make(provider), Breaker())])
        began = monotonic()
        assert (await heard(model, a_run(5)))[0] == ANSWER
        assert monotonic() - began >= 0.2


async def test_a_wait_that_does_not_fit_is_left(make: Make) -> None:
    async with model_provider(says(Fault.RATE_LIMITED, retry_after="30")) as provider:
        model = FallbackModel([Provided(make(provider), Breaker())])
        with pytest.raises(SupportError) as caught:
            await heard(model, a_run(2))
    assert caught.value.code == "llm_rate_limited"
    assert len(provider.asked) == 1


async def test_a_silent_provider_is_hedged_and_its_call_ended(make: Make) -> None:
    async with model_provider(says(Fault.SILENT)) as first, model_provider(says()) as second:
        patience = Patience(Latency(), until_known=0.1)
        model = HedgedModel(make(first), make(second), patience, HedgeQuota(1.0))
        assert (await heard(model, a_run(10)))[0] == ANSWER
        assert len(first.asked) == len(second.asked) == 1
    assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


async def test_failures_in_a_row_open_the_circuit_and_a_probe_closes_it(make: Make) -> None:
    seconds = 0.0
    async with model_provider(says(*[Fault.UNAVAILABLE] * 3)) as provider:
        breaker = Breaker(failures=3, seconds=10, now=lambda: seconds)
        model = FallbackModel([Provided(make(provider), breaker)])
        for _ in range(5):
            with pytest.raises(SupportError):
                await heard(model)
        assert len(provider.asked) == 3
        seconds = 10.0
        assert (await heard(model))[0] == ANSWER
        assert breaker.circuit is Circuit.CLOSED


class Answer(BaseModel):
    text: str
    sure: bool


async def test_an_answer_in_a_schema_comes_over_every_wire(make: Make) -> None:
    async with model_provider() as provider:
        found = await StructuredModel(make(provider)).ask(a_prompt(), a_run(), Answer)
        assert found == Answer(text="text", sure=True)
        assert provider.asked[0].schema is not None
        assert provider.asked[0].schema["properties"].keys() == {"text", "sure"}


async def test_the_system_text_is_marked_for_anthropic_s_cache() -> None:
    async with model_provider(says()) as provider:
        model = AnthropicModel(api_key=KEY, model="m", base_url=provider.base_url)
        _, end, _ = await heard(model, prompt=a_prompt(system="Be kind. " * 500))
        await model.close()
        assert provider.asked[0].body["system"][0]["cache_control"] == {"type": "ephemeral"}
    assert end.tokens_cached == 9 * 500 // 4
    assert end.tokens_in > end.tokens_cached


async def test_nothing_is_kept_at_openai() -> None:
    async with model_provider(says()) as provider:
        model = OpenAiResponsesModel(api_key=KEY, model="m", base_url=provider.openai_url)
        await heard(model)
        await model.close()
    assert provider.asked[0].body["store"] is False


@pytest.mark.parametrize("preset", PRESETS)
async def test_every_compatible_server_is_one_adapter(preset: str) -> None:
    async with model_provider(says()) as provider:
        model = openai_compatible(preset, model="m", base_url=provider.openai_url)
        assert (await heard(model))[0] == ANSWER
        assert model.name == f"{preset}:m"
        await model.close()


def test_an_unknown_preset_and_a_missing_key_are_refused_in_words() -> None:
    with pytest.raises(SupportError, match="there are openai, fireworks"):
        openai_compatible("acme", model="m")
    with pytest.raises(SupportError, match="fireworks wants a key"):
        openai_compatible("fireworks", model="m")


async def test_the_weather_is_the_one_that_was_asked_for() -> None:
    weather, of = Weather(Distribution(), seed=7), Distribution()
    calls = [weather.draw() for _ in range(20_000)]
    firsts, paces = sorted(call.first for call in calls), sorted(call.pace for call in calls)
    assert firsts[10_000] == pytest.approx(of.first_token[0], rel=0.03)
    assert firsts[18_000] == pytest.approx(0.45 * 2.7183 ** (1.2816 * 0.6), rel=0.04)
    assert paces[10_000] == pytest.approx(95, rel=0.03)
    assert sum(call.stall_at is not None for call in calls) / 20_000 == pytest.approx(0.02, abs=0.004)
    assert sum(call.fault is not Fault.NONE for call in calls) / 20_000 == pytest.approx(0.015, abs=0.004)
    assert all(2 <= call.stall <= 8 for call in calls if call.stall_at is not None)


async def test_the_stand_in_takes_the_time_that_it_drew() -> None:
    slow = Distribution(first_token=(0.1, 0), tokens_per_second=(100, 0), stalls=0, faults=0)
    async with model_provider(says(distribution=slow)) as provider:
        model: LanguageModel = OpenAiModel(api_key=KEY, model="m", base_url=provider.openai_url)
        began = monotonic()
        times = [monotonic() - began async for _ in model.stream(a_prompt(), a_run())]
        await model.close()  # type: ignore[attr-defined]
    assert times[0] >= 0.1
    assert times[-2] >= 0.1 + (len(times) - 2) / 100
