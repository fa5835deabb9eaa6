"""Figures that a provider tells of a call: those that no call can have neither break it nor move a limit."""

import asyncio
import json
from collections.abc import Callable, Mapping

import pytest

from support_agents.adapters.anthropic import AnthropicModel
from support_agents.adapters.openai.chat import OpenAiModel
from support_agents.adapters.openai.responses import OpenAiResponsesModel
from support_agents.llm.prices import shipped_prices
from support_agents.llm.recorded import CallLog, RecordedModel
from support_agents.llm.spending import Spend
from tests.fixtures.models import a_run, heard

Model = OpenAiModel | OpenAiResponsesModel | AnthropicModel
Answer = Callable[[object], list[dict[str, object]]]
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


def chat(url: str) -> Model:
    return OpenAiModel(api_key="k", model="gpt-4o", base_url=url)


def responses(url: str) -> Model:
    return OpenAiResponsesModel(api_key="k", model="gpt-4o", base_url=url)


def claude(url: str) -> Model:
    return AnthropicModel(api_key="k", model="claude-haiku-4-5", base_url=url)


def chat_says(usage: object) -> list[dict[str, object]]:
    said = {"delta": {"content": "Hello."}, "finish_reason": "stop"}
    return [{"choices": [said]}, {"choices": [], "usage": usage}]


def responses_say(usage: object) -> list[dict[str, object]]:
    end: dict[str, object] = {"type": "response.completed", "response": {"status": "completed", "usage": usage}}
    return [{"type": "response.output_text.delta", "delta": "Hello."}, end]


def claude_says(usage: object) -> list[dict[str, object]]:
    return [
        {"type": "message_start", "message": {"usage": usage}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello."}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage},
        {"type": "message_stop"},
    ]


PROVIDERS = [(chat, chat_says), (responses, responses_say), (claude, claude_says)]
NAMES = ("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens")
# Of a part of what was read, each in its vendor's place.
PARTS: dict[str, object] = {
    **dict.fromkeys(NAMES, 5),
    "prompt_tokens_details": {"cached_tokens": 10**9},
    "input_tokens_details": {"cached_tokens": 10**9},
    "cache_read_input_tokens": 10**9,
}


async def _called(make: Callable[[str], Model], events: list[dict[str, object]]) -> tuple[str, Mapping[str, int]]:
    """What was said, and what the spending of each provider came to."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        lines = (f"event: {one.get('type', 'chunk')}\ndata: {json.dumps(one)}\n\n".encode() for one in events)
        writer.write(HEAD + b"".join(lines))
        await writer.drain()
        writer.close()

    spend, server = Spend(), await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        model = make(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        said, _, _ = await heard(RecordedModel(model, CallLog(), shipped_prices(), spend), a_run(5))
        await model.close()
    return said, {name: spend.of(name) for name in ("openai", "anthropic")}


@pytest.mark.parametrize(("make", "says"), PROVIDERS, ids=["chat", "responses", "anthropic"])
@pytest.mark.parametrize(
    "usage",
    ["many", [1], 5, *(dict.fromkeys(NAMES, value) for value in ("7", 1.5, True, -(10**9), 10**30, [1], {"a": 1}))],
    ids=str,
)
async def test_figures_that_no_call_can_have_leave_its_text_and_cost_nothing(
    make: Callable[[str], Model], says: Answer, usage: object
) -> None:
    assert await _called(make, says(usage)) == ("Hello.", {"openai": 0, "anthropic": 0})


@pytest.mark.parametrize(("make", "says"), PROVIDERS, ids=["chat", "responses", "anthropic"])
async def test_a_part_that_is_more_than_its_whole_is_not_told(make: Callable[[str], Model], says: Answer) -> None:
    said, spent = await _called(make, says(PARTS))
    assert said == "Hello."
    assert 0 < sum(spent.values()) < 1_000


async def test_what_a_stream_says_that_is_no_text_is_given_on_as_text() -> None:
    events: list[dict[str, object]] = [{"type": "response.output_text.delta", "delta": ["a"]}, responses_say(None)[1]]
    assert (await _called(responses, events))[0] == "['a']"
