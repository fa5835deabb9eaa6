"""Events of a stream as they are read: however they were cut on their way, and nothing that was not told whole."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence

import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support_agents.adapters.openai.events import JsonEvents


async def events(pieces: Sequence[bytes]) -> list[object]:
    """Read an answer that arrives in these pieces."""

    async def body() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    response = httpx2.Response(200, content=body(), request=httpx2.Request("POST", "http://localhost/"))
    async with (
        openai.AsyncOpenAI(api_key="k") as client,
        JsonEvents(cast_to=list[object], response=response, client=client) as found,
    ):
        return [event async for together in found for event in together]


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


async def test_what_came_before_a_fault_is_told_before_it() -> None:
    told: list[object] = []
    piece = b'data: {"a": 1}\n\ndata: {"a": 2}\n\ndata: {oops\n\ndata: {"a": 3}\n\n'
    response = httpx2.Response(200, content=piece, request=httpx2.Request("POST", "http://localhost/"))

    async def read(client: openai.AsyncOpenAI) -> None:
        async for together in JsonEvents(cast_to=list[object], response=response, client=client):
            told.extend(together)

    async with openai.AsyncOpenAI(api_key="k") as client:
        with pytest.raises(json.JSONDecodeError):
            await read(client)
    assert told == [{"a": 1}, {"a": 2}]


WHOLE = ('{"a": 1}', '{"a": ["\\ud83d", NaN]}', "[]", '"\\u00e4 "', "1e400", "{}", '{"a": 1, "a": 2}')
BROKEN = ("{oops", '{"a": 1', '"b": 2}, {"c": 3}', "[1", "2]", "", "1, 2", '{"a": "\x01"}', '{"error": "e"}')


@given(said=st.lists(st.sampled_from((*WHOLE, *WHOLE, *BROKEN)), max_size=5))
def test_events_that_come_together_are_read_as_by_themselves(said: list[str]) -> None:
    def alone() -> list[object]:
        found: list[object] = []
        for one in said:
            event = json.loads(one)
            if isinstance(event, dict) and event.get("error"):
                raise openai.APIError("told", httpx2.Request("POST", "http://localhost/"), body=None)
            found.append(event)
        return found

    def read(reading: Callable[[], list[object]]) -> str:
        try:
            return repr(reading())
        except (ValueError, openai.APIError) as fault:
            return type(fault).__name__

    piece = "".join(f"data: {one}\n\n" for one in said).encode()
    assert read(lambda: asyncio.run(events([piece]))) == read(alone)
