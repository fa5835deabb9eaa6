"""A model provider on loopback with the latency of a real one: three wires over HTTP, seeded delays and faults.

`python -m tests.peers.model_provider --seed 1` serves in a process of its own and prints the port.
"""

import argparse
import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.peers.model_script import grounded_reply, pieces_of, wordy_reply
from tests.peers.model_weather import IN_STREAM, INSTANT, Call, Distribution, Fault, Weather
from tests.peers.model_wire import Asked, Wire, closing, opening, piece, refusal, whole

_FOR_EVER = 60.0
_TURNED_AWAY = frozenset(
    (
        Fault.UNAUTHORISED,
        Fault.FORBIDDEN,
        Fault.RATE_LIMITED,
        Fault.QUOTA,
        Fault.UNAVAILABLE,
        Fault.OVERLOADED,
    )
)
_QUICKLY = 0.03
_MOST_KEPT = 1_000


@dataclass
class ModelProvider:
    """Where it listens, what it was asked and with which headers; `says` writes the answers."""

    weather: Weather = field(default_factory=Weather)
    says: Callable[[Asked], str] = grounded_reply
    base_url: str = ""
    asked: deque[Asked] = field(default_factory=lambda: deque(maxlen=_MOST_KEPT))
    headers: deque[dict[str, str]] = field(default_factory=lambda: deque(maxlen=_MOST_KEPT))
    hung_up: int = 0
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    @property
    def openai_url(self) -> str:
        """For the OpenAI SDK; the Anthropic SDK takes `base_url`."""
        return f"{self.base_url}/v1"

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a connection."""
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Break all connections off."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request after another on a kept-open connection."""
        try:
            while await self._answered(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            self.hung_up += 1
        finally:
            writer.close()

    async def _answered(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; return whether the connection stays."""
        path, headers, body = await _request(reader)
        wire = next((one for one in Wire if path.endswith(one.value)), Wire.CHAT)
        asked = Asked(wire, body)
        self.asked.append(asked)
        self.headers.append(headers)
        try:
            await _Answer(writer, asked, self.weather.draw(), self).send()
        except _BrokenOffError:
            return False
        return True


class _BrokenOffError(Exception):
    """The connection is to be broken off."""


@dataclass(frozen=True)
class _Answer:
    """One response."""

    writer: asyncio.StreamWriter
    asked: Asked
    call: Call
    provider: ModelProvider

    async def send(self) -> None:
        call = self.call
        if call.fault in _TURNED_AWAY:
            await asyncio.sleep(min(call.first, _QUICKLY))
            status, body = refusal(self.asked, call.fault)
            extra = {"retry-after": self.provider.weather.retry_after} if status == 429 else {}
            await self._json(status, body, extra)
            return
        if call.fault is Fault.SILENT:
            await asyncio.sleep(_FOR_EVER)
        pieces = pieces_of(self.provider.says(self.asked))
        if self.asked.limit is not None and len(pieces) > self.asked.limit:
            pieces = pieces[: self.asked.limit]
        if self.asked.streams:
            await self._stream([] if call.fault is Fault.REFUSAL else pieces)
        else:
            await asyncio.sleep(call.first + call.stall + len(pieces) / call.pace)
            await self._json(200, whole(self.asked, pieces), {})

    async def _stream(self, pieces: list[str]) -> None:
        call, loop = self.call, asyncio.get_running_loop()
        due, step = loop.time() + call.first, 1 / call.pace
        breaks = len(pieces) // 2 if call.fault in IN_STREAM else -1
        stalls = int(call.stall_at * len(pieces)) if call.stall_at is not None else -1
        if call.first:
            await asyncio.sleep(call.first)
        await self._raw(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        await self._chunk("".join(opening(self.asked)))
        for at, text in enumerate(pieces):
            if at == stalls:
                due += call.stall
            if at == breaks and not await self._broken():
                return
            if (wait := due - loop.time()) > 0:
                await asyncio.sleep(wait)
            await self._chunk(piece(self.asked, text))
            due += step
        await self._chunk("".join(closing(self.asked, len(pieces), call.fault)))
        await self._raw(b"0\r\n\r\n")

    async def _broken(self) -> bool:
        """Do what goes wrong in the middle; return whether the stream goes on."""
        match self.call.fault:
            case Fault.CUT:
                await self._raw(b"0\r\n\r\n")
                return False
            case Fault.DISCONNECT:
                raise _BrokenOffError
            case Fault.MALFORMED:
                await self._chunk(piece(self.asked, "lost")[:-9] + "\n\n")
            case _:
                await asyncio.sleep(_FOR_EVER)
        return True

    async def _json(self, status: int, body: dict[str, Any], extra: dict[str, str]) -> None:
        content = json.dumps(body).encode()
        lines = {"content-type": "application/json", "content-length": str(len(content)), **extra}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        await self._raw(f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + content)

    async def _chunk(self, text: str) -> None:
        content = text.encode()
        await self._raw(b"%x\r\n%s\r\n" % (len(content), content))

    async def _raw(self, content: bytes) -> None:
        if self.writer.transport.is_closing():
            raise ConnectionResetError
        self.writer.write(content)
        await self.writer.drain()


async def _request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], dict[str, Any]]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in lines[1:]) if key}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return lines[0].split()[1], headers, json.loads(body or b"{}")


@asynccontextmanager
async def model_provider(provider: ModelProvider | None = None) -> AsyncIterator[ModelProvider]:
    """Serve on a free loopback port until left."""
    found = provider or ModelProvider()
    server = await asyncio.start_server(found.accept, "127.0.0.1", 0)
    found.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield found
    finally:
        server.close()
        await found.stop()


async def _main(seed: int, distribution: Distribution, says: Callable[[Asked], str]) -> None:
    async with model_provider(ModelProvider(Weather(distribution, seed), says=says)) as provider:
        print(provider.base_url, flush=True)  # noqa: T201 - read by who started it
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--instant", action="store_const", const=INSTANT)
    parser.add_argument("--stretch", type=float, default=1.0)
    parser.add_argument("--wordy", action="store_const", const=wordy_reply, default=grounded_reply)
    given = parser.parse_args()
    asyncio.run(_main(given.seed, given.instant or Distribution().stretched(given.stretch), given.wordy))
