"""The one writer of an SQLite file: units of work take turns on one connection, intake first; it knows no table."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.sqlite_driver import writer_of
from db.statements import WriterStatements

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
    async def turn(self, label: str, *, urgent: bool) -> AsyncIterator[WriterStatements]:
        """Hold the writer inside a transaction: committed on a clean exit, rolled back on an error."""
        await self._enter(urgent=urgent)
        try:
            connection, self._idle = self._idle or await self._engine.connect(), None
            try:
                driver = writer_of(connection)
                await driver.begin()
                yield WriterStatements(connection)
                self._boundary("before", label)
                try:
                    await driver.end()
                except Exception:
                    # Rolling back may fail as well; closed for good, it keeps no lock.
                    await connection.invalidate()
                    raise
            except BaseException:
                # Only what has committed is as good as new; any other is closed, which undoes what it was at.
                await _give_back(connection)
                raise
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


async def _give_back(connection: AsyncConnection) -> None:
    """Close it; one that the driver has closed the pool is to forget, which would take it back as it is."""
    try:
        if not connection.invalidated and not writer_of(connection).is_open:
            await connection.invalidate()
    finally:
        # Also by a task that is cancelled meanwhile.
        await asyncio.shield(asyncio.create_task(connection.close()))


def _wake(waiting: deque[asyncio.Future[None]]) -> bool:
    """Give the turn to the first that still waits; say whether there was one."""
    while waiting:
        turn = waiting.popleft()
        if not turn.done():
            turn.set_result(None)
            return True
    return False
