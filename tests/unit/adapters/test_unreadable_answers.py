"""Answers that no provider promised: each is an error with a code, after which the next provider can be asked."""

import asyncio
from collections.abc import Callable

import pytest

from support_agents.adapters.anthropic import AnthropicModel
from support_agents.adapters.openai.chat import OpenAiModel
from support_agents.adapters.openai.responses import OpenAiResponsesModel
from support_agents.domain.errors import SupportError
from tests.fixtures.models import a_run, heard

Model = OpenAiModel | OpenAiResponsesModel | AnthropicModel
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
MAKES: list[Callable[[str], Model]] = [
    lambda url: OpenAiModel(api_key="k", model="m", base_url=url),
    lambda url: OpenAiResponsesModel(api_key="k", model="m", base_url=url),
    lambda url: AnthropicModel(api_key="k", model="m", base_url=url),
]


@pytest.mark.parametrize("make", MAKES, ids=["chat", "responses", "anthropic"])
@pytest.mark.parametrize(
    "said",
    [
        b'{"a": "\xff\xfe"}',
        b'{"a": "\xed\xa0\x80"}',
        b"[" * 200_000,
        b"9" * 10_000,
        b'{"type": "content_block_delta", "choices": [{"delta": [1]}], "delta": [1], "response": 5}',
        b'{"type": "message_delta", "choices": 5, "usage": [1]}',
    ],
    ids=["no text", "half a character", "deep", "a large number", "a list", "a number"],
)
async def test_what_cannot_be_read_is_an_error_with_a_code(make: Callable[[str], Model], said: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + b"event: message_delta\ndata: " + said + b"\n\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=2**20)
    async with server:
        model = make(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        with pytest.raises(SupportError) as caught:
            await heard(model, a_run(5))
        await model.close()
    assert caught.value.code == "llm_bad_response"
