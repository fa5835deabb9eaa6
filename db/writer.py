"""The one writer of an SQLite file: units of work take turns on one connection, intake first; it knows no table."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

Boundary = Callable[[str, str], None]


class Writer:
    """Turns at writing; a waiting urgent unit goes before all that are not."""

    def __init__(self, engine: AsyncEngine, boundary: Boundary) -> None:
        self._engine = engine
        self._boundary = boundary
        self._held = False
        self._idle: AsyncConnection | None = None
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._patient: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def turn(self, label: str, *, urgent: bool) -> AsyncIterator[AsyncConnection]:
        """Hold the writer inside a transaction: committed on a clean exit, rolled back on an error."""
        await self._enter(urgent=urgent)
        try:
            async with AsyncExitStack() as stack:
                connection, self._idle = self._idle or await self._engine.connect(), None
                stack.push_async_exit(connection)
                async with connection.begin() as transaction:
                    yield connection
                    self._boundary("before", label)
                    try:
                        await transaction.commit()
                    except Exception:
                        # SQLAlchemy takes it for ended and rolls nothing back; closed for good, it keeps no lock.
                        await connection.invalidate()
                        raise
                # Only what has committed is as good as new; any other is closed, which undoes what it was at.
                stack.pop_all()
                self._idle = connection
            self._boundary("after", label)
        finally:
            self._held = _wake(self._urgent) or _wake(self._patient)

    async def close(self) -> None:
        """Close the connection that waits for the next turn."""
        if self._idle is not None:
            connection, self._idle = self._idle, None
            await connection.close()

    async def _enter(self, *, urgent: bool) -> None:
        if not self._held:
            self._held = True
            return
        turn = asyncio.get_running_loop().create_future()
        (self._urgent if urgent else self._patient).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # cancelled just after it was given the turn
                self._held = _wake(self._urgent) or _wake(self._patient)
            raise


def _wake(waiting: deque[asyncio.Future[None]]) -> bool:
    """Give the turn to the first that still waits; say whether there was one."""
    while waiting:
        turn = waiting.popleft()
        if not turn.done():
            turn.set_result(None)
            return True
    return False
