"""A TCP proxy in front of a real server that can be cut, held up, slowed down and mended; it looks at no byte."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

_HELD_SECONDS = 0.02


@dataclass
class Cuttable:
    """Listens on a port of its own for a server at `host:port`; `delay` is seconds for every piece on its way."""

    host: str
    port: int
    listening: int = 0
    is_cut: bool = False
    is_held: bool = False
    delay: float = 0.0
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _loop: asyncio.AbstractEventLoop | None = None

    def through(self, url: str) -> str:
        """The same address by way of this proxy."""
        parts = urlsplit(url)
        credentials = parts.netloc.rpartition("@")[0]
        where = f"127.0.0.1:{self.listening}"
        return urlunsplit(parts._replace(netloc=f"{credentials}@{where}" if credentials else where))

    def cut(self) -> None:
        """End every connection and take no more; callable from any thread."""
        self.is_cut = True
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._end_all)

    def hold(self) -> None:
        """Pass nothing on, end nothing: as a network that swallows every packet."""
        self.is_held = True

    def mend(self) -> None:
        """Take connections again, and pass on what was held at once."""
        self.is_cut = self.is_held = False
        self.delay = 0.0

    def _end_all(self) -> None:
        for writer in tuple(self._open):
            writer.transport.abort()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass bytes both ways until either side ends."""
        if self.is_cut:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(self.host, self.port)
        except OSError:  # the server is gone: so are we, for whoever asks
            writer.transport.abort()
            return
        pair = {writer, far_writer}
        self._open |= pair
        try:
            await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))
        finally:
            self._open -= pair

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await reader.read(65_536):
                if self.delay:
                    await asyncio.sleep(self.delay)
                while self.is_held and not self.is_cut:  # noqa: ASYNC110 - another thread lets go
                    await asyncio.sleep(_HELD_SECONDS)
                writer.write(chunk)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def proxied(proxy: Cuttable) -> AsyncIterator[Cuttable]:
    """Listen until left."""
    proxy._loop = asyncio.get_running_loop()
    server = await asyncio.start_server(proxy.take, "127.0.0.1", 0)
    proxy.listening = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy._end_all()
        await asyncio.sleep(0.05)
