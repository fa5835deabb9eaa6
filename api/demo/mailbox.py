"""A mail server on loopback that keeps what it is given and delivers nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast

from aiosmtpd.smtp import SMTP, Envelope, Session

_HOST = "127.0.0.1"


class Mailbox:
    """Every letter that arrived, oldest first, and the port it arrives at."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.port = 0
        self._arrived = asyncio.Condition()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep a letter."""
        content = cast("bytes", envelope.original_content)
        async with self._arrived:
            self.letters.append(message_from_bytes(content, policy=policy.default))
            self._arrived.notify_all()
        return "250 kept"

    async def wait_for(self, count: int) -> None:
        """Wait until this many letters have arrived."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.letters) >= count)


@asynccontextmanager
async def mailbox() -> AsyncIterator[Mailbox]:
    """Listen on a free loopback port."""
    box = Mailbox()
    # A given host name: the library would ask the resolver for one otherwise.
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(box, hostname="mailbox.example", ident="mailbox", decode_data=False, enable_SMTPUTF8=True),
        _HOST,
        0,
    )
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()
        await server.wait_closed()
