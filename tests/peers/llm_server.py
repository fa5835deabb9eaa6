"""A small server that speaks the streaming wire of both model providers, with faults; the model's name picks one."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

STALL_SECONDS = 60
WORDS = ("Hello", " Anna", ",", " your", " parcel", " is", " on", " its", " way", ".")
# Arguments of a call to a tool that nobody offered.
UNASKED = '{"order_id": "HW-20001", "amount": 999900, "iban": "NL00EVIL0123456789", "approved": true}'
_STATUSES = {"auth": 401, "rate": 429, "quota": 429, "error": 500, "overloaded": 529, "missing": 404}


@dataclass
class LlmServer:
    """Base address, and the bodies and headers of the requests that came in."""

    address: str
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self.answer(reader, writer))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    @property
    def openai_url(self) -> str:
        return f"{self.address}/v1"

    @property
    def anthropic_url(self) -> str:
        return self.address

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            path, headers, body = await _request(reader)
            self.headers.append(headers)
            self.requests.append(body)
            await _Answer(writer, body, anthropic=path.endswith("/messages")).send()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def llm_server() -> AsyncIterator[LlmServer]:
    """Serve on a free loopback port until the block ends."""
    found = LlmServer("")
    server = await asyncio.start_server(found.accept, "127.0.0.1", 0)
    found.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield found
    finally:
        server.close()
        for task in tuple(found.tasks):
            task.cancel()
        await asyncio.gather(*found.tasks, return_exceptions=True)


async def _request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], dict[str, Any]]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in lines[1:]) if key}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return lines[0].split()[1], headers, json.loads(body)


class _Answer:
    """One response; `body["model"]` names the fault, anything else is answered well."""

    def __init__(self, writer: asyncio.StreamWriter, body: dict[str, Any], *, anthropic: bool) -> None:
        self._writer, self._body, self._anthropic = writer, body, anthropic
        self._mode = str(body["model"])

    async def send(self) -> None:
        refused = self._mode.removeprefix("refuses-")
        if self._mode in _STATUSES:
            await self._refuse(_STATUSES[self._mode], {"type": _type(self._mode), "code": _code(self._mode)})
        elif refused != self._mode and refused in self._body:
            words = f"Unsupported parameter: '{refused}' is not supported with this model."
            await self._refuse(400, {"type": "invalid_request_error", "param": refused, "message": words})
        elif self._mode == "html":
            await self._raw(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 9\r\n\r\n<html>hi\n")
        else:
            await self._stream()

    async def _refuse(self, status: int, error: dict[str, Any]) -> None:
        error = {"message": "Incorrect API key provided: sk-se********ret.", **error}
        content = json.dumps({"type": "error", "error": error}).encode()
        head = f"HTTP/1.1 {status} No\r\ncontent-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
        await self._raw(head.encode() + content)

    async def _stream(self) -> None:
        await self._raw(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        if self._mode == "garbage":
            await self._chunk("data: {not json\n\n" if not self._anthropic else "event: message_start\ndata: {no\n\n")
            await self._raw(b"0\r\n\r\n")
            return
        events = _anthropic_events(self._mode) if self._anthropic else _openai_events(self._mode, self._body)
        for number, event in enumerate(events):
            if self._mode == "disconnect" and number == len(WORDS) // 2:
                return
            if self._mode == "stall" and number == len(WORDS) // 2:
                await asyncio.sleep(STALL_SECONDS)
            if self._mode == "malformed" and number == len(WORDS) // 2:
                event = event[: len(event) - 9] + "\n\n"  # noqa: PLW2901 - the tail of the JSON is lost
            if self._mode == "failing" and number == len(WORDS) // 2:
                event = _error_event(anthropic=self._anthropic)  # noqa: PLW2901 - an error inside of the stream
            await self._chunk(event)
            if self._mode == "slow":
                await asyncio.sleep(0.05)
        await self._raw(b"0\r\n\r\n")

    async def _chunk(self, text: str) -> None:
        content = text.encode()
        await self._raw(f"{len(content):x}\r\n".encode() + content + b"\r\n")

    async def _raw(self, content: bytes) -> None:
        self._writer.write(content)
        await self._writer.drain()


def _type(mode: str) -> str:
    types = {"auth": "authentication_error", "rate": "rate_limit_error", "overloaded": "overloaded_error"}
    return types.get(mode, "api_error" if mode == "error" else "invalid_request_error")


def _code(mode: str) -> str | None:
    return "insufficient_quota" if mode == "quota" else None


def _error_event(*, anthropic: bool) -> str:
    error = {"type": "overloaded_error", "message": "Overloaded"}
    data = json.dumps({"type": "error", "error": error})
    return f"event: error\ndata: {data}\n\n" if anthropic else f"data: {data}\n\n"


def _openai_events(mode: str, body: dict[str, Any]) -> list[str]:
    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": mode, "choices": [
            {"index": 0, "delta": delta, "finish_reason": finish}
        ]}  # fmt: skip

    finish = {"length": "length", "filtered": "content_filter", "tools": "tool_calls", "tool-calls": "tool_calls"}.get(
        mode, "stop"
    )
    spoken = () if mode in {"refusal", "silent"} else WORDS
    chunks = [chunk({"role": "assistant", "content": ""}), *(chunk({"content": word}) for word in spoken)]
    if mode == "tool-calls":
        called = {"name": "issue_refund", "arguments": UNASKED}
        chunks.append(chunk({"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": called}]}))
    if mode == "refusal":
        chunks.append(chunk({"refusal": "I cannot help with that."}))
    if mode != "truncated":
        chunks.append(chunk({}, finish))
        if body.get("stream_options"):
            usage = {"prompt_tokens": 30, "completion_tokens": 10, "total_tokens": 40}
            details = {"prompt_tokens_details": {"cached_tokens": 20}}
            chunks.append({**chunk({}), "choices": [], "usage": usage | details})
    lines = [f"data: {json.dumps(one)}\n\n" for one in chunks]
    return lines if mode == "truncated" else [*lines, "data: [DONE]\n\n"]


def _anthropic_events(mode: str) -> list[str]:
    stop = {
        "length": "max_tokens",
        "refusal": "refusal",
        "filtered": "refusal",
        "tools": "tool_use",
        "tool-calls": "tool_use",
    }.get(mode, "end_turn")
    usage = {
        "input_tokens": 4,
        "cache_read_input_tokens": 20,
        "cache_creation_input_tokens": 6,
        "output_tokens": 1,
    }
    message: dict[str, Any] = {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": mode,
        "content": [],
        "usage": usage,
    }
    message["stop_reason"] = message["stop_sequence"] = None
    spoken = () if mode in {"refusal", "silent"} else WORDS
    deltas = [{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": w}} for w in spoken]
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *deltas,
    ]
    if mode == "tool-calls":
        block = {"type": "tool_use", "id": "toolu_1", "name": "issue_refund", "input": {}}
        called = {"type": "input_json_delta", "partial_json": UNASKED}
        events += [
            {"type": "content_block_stop", "index": 0},
            {"type": "content_block_start", "index": 1, "content_block": block},
            {"type": "content_block_delta", "index": 1, "delta": called},
        ]
    if mode != "truncated":
        delta = {"stop_reason": stop, "stop_sequence": None}
        events += [
            {"type": "content_block_stop", "index": 1 if mode == "tool-calls" else 0},
            {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 10}},
            {"type": "message_stop"},
        ]
    return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events]
