"""The provider adapters driven through the real SDKs against a server that misbehaves on the wire."""

import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from time import monotonic
from typing import Any, cast

import pytest

from support_agents.adapters.anthropic import AnthropicModel
from support_agents.adapters.openai.chat import OpenAiModel
from support_agents.domain.budget import Budget
from support_agents.domain.deadline import Deadline
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, RunId, new_id
from support_agents.domain.runs import Run
from support_agents.ports import Completed, LanguageModel, Prompt, StopReason, TextDelta
from tests.peers.llm_server import STALL_SECONDS, WORDS, LlmServer, llm_server

KEY = "sk-secret-of-the-test-0123456789"
Make = Callable[[str], OpenAiModel | AnthropicModel]


@pytest.fixture
async def server() -> AsyncIterator[LlmServer]:
    async with llm_server() as found:
        yield found


@pytest.fixture(params=["openai", "anthropic"])
async def make(request: pytest.FixtureRequest, server: LlmServer) -> AsyncIterator[Make]:
    made: list[OpenAiModel | AnthropicModel] = []

    def build(mode: str) -> OpenAiModel | AnthropicModel:
        openai = request.param == "openai"
        made.append(
            OpenAiModel(api_key=KEY, model=mode, base_url=server.openai_url)
            if openai
            else AnthropicModel(api_key=KEY, model=mode, base_url=server.anthropic_url)
        )
        return made[-1]

    yield build
    for model in made:
        await model.close()


def run(seconds: float = 5.0) -> Run:
    return Run(RunId(new_id()), DEFAULT_WORKSPACE, Deadline(monotonic() + seconds), Budget())


def prompt(**changes: Any) -> Prompt:
    given = {"agent": "drafting", "version": "draft.1", "system": "Be kind.", "user": "Where is it?", "max_tokens": 50}
    return Prompt.model_validate({**given, **changes})


async def heard(model: LanguageModel, seconds: float = 5.0) -> tuple[str, Completed]:
    items = [item async for item in model.stream(prompt(), run(seconds))]
    *deltas, end = items
    assert isinstance(end, Completed)
    return "".join(delta.text for delta in cast("list[TextDelta]", deltas)), end


async def test_a_whole_answer_is_streamed_with_its_tokens(make: Make, server: LlmServer) -> None:
    model = make("good")
    text, end = await heard(model)
    assert text == "".join(WORDS)
    to_cache = 6 if isinstance(model, AnthropicModel) else 0  # the other wire tells nothing of it
    assert end == Completed(
        StopReason.COMPLETE, tokens_in=30, tokens_out=10, tokens_cached=20, tokens_to_cache=to_cache
    )
    assert server.requests[0]["max_tokens"] == 50


@pytest.mark.parametrize(
    ("mode", "stop"),
    [
        ("truncated", StopReason.CUT),
        ("length", StopReason.MAX_TOKENS),
        ("filtered", StopReason.REFUSED),
        ("refusal", StopReason.REFUSED),
        ("tools", StopReason.CUT),
    ],
)
async def test_a_stream_that_does_not_end_well_says_how(make: Make, mode: str, stop: StopReason) -> None:
    _, end = await heard(make(mode))
    assert end.stop is stop


@pytest.mark.parametrize(
    ("mode", "code", "retryable"),
    [
        ("auth", "llm_auth", False),
        ("quota", "llm_quota", False),
        ("missing", "llm_not_found", False),
        ("rate", "llm_rate_limited", True),
        ("error", "llm_unavailable", True),
        ("overloaded", "llm_overloaded", True),
        ("failing", "llm_overloaded", True),
        ("disconnect", "llm_broken_stream", True),
        ("malformed", "llm_bad_response", False),
        ("garbage", "llm_bad_response", False),
        ("html", "llm_bad_response", False),
        ("silent", "llm_bad_response", False),
    ],
)
async def test_every_fault_has_a_stable_code_and_no_key(make: Make, mode: str, code: str, *, retryable: bool) -> None:
    with pytest.raises(SupportError) as caught:
        await heard(make(mode))
    assert (caught.value.code, caught.value.retryable) == (code, retryable)
    told = "".join(traceback.format_exception(caught.value))
    assert "sk-se" not in told


async def test_a_stalled_stream_ends_at_the_deadline(make: Make) -> None:
    began = monotonic()
    with pytest.raises(SupportError) as caught:
        await heard(make("stall"), seconds=0.4)
    assert caught.value.code == "llm_timeout"
    assert monotonic() - began < STALL_SECONDS / 2


async def test_a_stream_that_trickles_past_the_deadline_is_ended(make: Make) -> None:
    with pytest.raises(SupportError) as caught:
        await heard(make("slow"), seconds=0.25)
    assert caught.value.code == "llm_timeout"


async def test_nothing_is_sent_after_the_deadline(make: Make, server: LlmServer) -> None:
    with pytest.raises(SupportError) as caught:
        await heard(make("good"), seconds=-1)
    assert caught.value.code == "llm_timeout"
    assert server.requests == []


@pytest.mark.parametrize("factory", [OpenAiModel, AnthropicModel])
async def test_a_closed_door_is_unreachable(factory: Callable[..., OpenAiModel | AnthropicModel]) -> None:
    model = factory(api_key=KEY, model="good", base_url="http://127.0.0.1:9")
    with pytest.raises(SupportError) as caught:
        await heard(model)
    assert caught.value.code == "llm_unreachable"
    await model.close()


async def test_the_sdk_does_not_retry_by_itself(make: Make, server: LlmServer) -> None:
    with pytest.raises(SupportError):
        await heard(make("rate"))
    assert len(server.requests) == 1


async def test_a_server_that_refuses_a_temperature_is_asked_without_and_remembered(server: LlmServer) -> None:
    model = OpenAiModel(api_key=KEY, model="refuses-temperature", base_url=server.openai_url)
    assert (await heard(model))[1].stop is StopReason.COMPLETE
    assert (await heard(model))[1].stop is StopReason.COMPLETE
    assert [request.get("temperature") for request in server.requests] == [0.2, None, None]
    await model.close()


async def test_a_server_that_wants_the_newer_name_of_a_limit_gets_it(server: LlmServer) -> None:
    model = OpenAiModel(api_key=KEY, model="refuses-max_tokens", base_url=server.openai_url)
    assert (await heard(model))[1].stop is StopReason.COMPLETE
    assert server.requests[-1]["max_completion_tokens"] == 50
    await model.close()


async def test_a_server_without_usage_leaves_the_counts_at_zero(server: LlmServer) -> None:
    model = OpenAiModel(api_key=KEY, model="refuses-stream_options", base_url=server.openai_url)
    assert (await heard(model))[1] == Completed(StopReason.COMPLETE)
    await model.close()


async def test_closing_the_iterator_cancels_the_call(make: Make) -> None:
    began = monotonic()
    stream = cast("Any", make("stall").stream(prompt(), run()))
    async with aclosing(stream):
        assert isinstance(await anext(stream), TextDelta)
    assert monotonic() - began < STALL_SECONDS / 2


async def test_the_key_is_in_no_representation(make: Make) -> None:
    model = make("good")
    assert KEY not in repr(model)
    assert KEY not in str(model)
    assert KEY not in model.name


async def test_the_key_goes_to_the_provider_only_in_its_header(make: Make, server: LlmServer) -> None:
    await heard(make("good"))
    assert KEY in "".join(server.headers[0].values())
    assert KEY not in str(server.requests[0])
