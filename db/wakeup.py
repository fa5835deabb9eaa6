"""Tells that a commit added work or knowledge, so that nobody need poll; it carries nothing but the hint."""

import asyncio
import contextlib

import psycopg

OUTBOX, KNOWLEDGE = "support_outbox", "support_knowledge"


class Wakeup:
    """A hint for one waiter: set by every commit since its last wait."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        """Wake the waiter, now or at its next wait."""
        self._event.set()

    async def wait(self, seconds: float) -> bool:
        """Wait for a hint, at most `seconds`; return whether there was one."""
        if not self._event.is_set():
            if seconds <= 0:
                return False
            try:
                async with asyncio.timeout(seconds):
                    await self._event.wait()
            except TimeoutError:
                return False
        self._event.clear()
        return True

    async def close(self) -> None:
        """Stop listening, where something was listened to."""


class ListeningWakeup(Wakeup):
    """Also woken by other processes' commits, over LISTEN on a direct connection (never through a pooler)."""

    def __init__(self, conninfo: str, channel: str) -> None:
        super().__init__()
        self._conninfo = conninfo
        self._channel = channel
        self._listener: asyncio.Task[None] | None = None

    async def wait(self, seconds: float) -> bool:
        """Wait as above; the first wait, and any after a lost connection, starts listening."""
        if self._listener is None or self._listener.done():
            self._listener = asyncio.create_task(self._listen(), name="listen")
        return await super().wait(seconds)

    async def close(self) -> None:
        """End the connection."""
        if self._listener is not None:
            self._listener.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listener

    async def _listen(self) -> None:
        # A lost connection ends the task; until the next wait starts it again, waiting is polling.
        with contextlib.suppress(psycopg.OperationalError):
            connection = await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True)
            async with connection:
                await connection.execute(f"LISTEN {self._channel}")
                self.set()  # what was committed before LISTEN is not told
                async for _ in connection.notifies():
                    self.set()
