"""Events of a stream as they are read: however they were cut on their way, and nothing that was not told whole."""

import json
from collections.abc import AsyncIterator, Sequence

import httpx2
import openai
import pytest

from support_agents.adapters.openai.events import JsonEvents


async def events(pieces: Sequence[bytes]) -> list[object]:
    """Read an answer that arrives in these pieces."""

    async def body() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    response = httpx2.Response(200, content=body(), request=httpx2.Request("POST", "http://localhost/"))
    async with (
        openai.AsyncOpenAI(api_key="k") as client,
        JsonEvents(cast_to=object, response=response, client=client) as found,
    ):
        return [event async for event in found]


SAID = (
    'data: {"a": "ä"}\n\n: a comment\nevent: x\nid: 7\ndata:{"a": 2}\r\n\r\ndata: [DONE]\n\ndata: {"a": 3}\n\n'.encode()
)


@pytest.mark.parametrize("size", [1, 2, 7, 1_000])
async def test_events_are_the_same_however_they_were_cut(size: int) -> None:
    pieces = [SAID[at : at + size] for at in range(0, len(SAID), size)]
    assert await events(pieces) == [{"a": "ä"}, {"a": 2}]


async def test_what_was_cut_within_an_event_is_no_event() -> None:
    assert await events([b'data: {"a": 1}\n\ndata: {"a":', b" 2}"]) == [{"a": 1}]


async def test_an_error_in_the_stream_is_one() -> None:
    with pytest.raises(openai.APIError) as raised:
        await events([b'data: {"error": {"type": "overloaded_error", "message": "later"}}\n\n'])
    assert raised.value.body == {"type": "overloaded_error", "message": "later"}


async def test_what_is_no_json_is_a_fault() -> None:
    with pytest.raises(json.JSONDecodeError):
        await events([b"data: {oops\n\n"])
