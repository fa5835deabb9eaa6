"""A real SMTP server on a free loopback port that keeps every letter's exact bytes and can misbehave on purpose."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass(frozen=True)
class Taken:
    """A letter as the server took it."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes


@dataclass
class SmtpSink:
    """`at_rcpt` and `at_data` answer in place of acceptance; `drop_after_data` takes the letter and hangs up.

    `stall` holds the answer to DATA back, `before` or `after` the letter was taken, and then `reached` is set.
    """

    taken: list[Taken] = field(default_factory=list)
    at_rcpt: str = ""
    at_data: str = ""
    drop_after_data: bool = False
    stall: str = ""
    reached: bool = False
    port: int = 0

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's hook
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.at_rcpt:
            return self.at_rcpt
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        if self.at_data:
            return self.at_data
        assert isinstance(envelope.content, bytes)
        if self.stall == "before":
            await self._hold()
        self.taken.append(Taken(envelope.mail_from or "", tuple(envelope.rcpt_tos), envelope.content))
        if self.stall == "after":
            await self._hold()
        if self.drop_after_data:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return f"250 OK queued as {len(self.taken)}"

    async def _hold(self) -> None:
        """Until the other side hangs up, which ends the conversation's task."""
        self.reached = True
        await asyncio.Event().wait()


@asynccontextmanager
async def listening(
    sink: SmtpSink, *, starttls: ssl.SSLContext | None = None, implicit_tls: ssl.SSLContext | None = None
) -> AsyncIterator[SmtpSink]:
    """Listen until left, encrypted as told."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(sink, hostname="sink.test", tls_context=starttls), "127.0.0.1", 0, ssl=implicit_tls
    )
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        server.close()
        await server.wait_closed()
