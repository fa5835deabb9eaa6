"""The one writer of an SQLite file: units of work take turns, intake first, and intake shares commits; no other order."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

Boundary = Callable[[str, str], None]

# Units that share one commit: enough to spread the cost of the disk, few enough that none waits long.
LARGEST_GROUP = 32


@dataclass
class Group:
    """Units that are committed together; each is acknowledged only after that commit."""

    connection: AsyncConnection
    shared: bool
    committed: asyncio.Future[None]
    labels: list[str] = field(default_factory=list)


class Writer:
    """Turns on one connection. Urgent units go first, and those that wait together share a transaction."""

    def __init__(self, engine: AsyncEngine, boundary: Boundary) -> None:
        self._engine = engine
        self._boundary = boundary
        self._held = False
        self._group: Group | None = None
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._patient: deque[asyncio.Future[None]] = deque()
        self._settling: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def turn(self, label: str, *, urgent: bool) -> AsyncIterator[AsyncConnection]:
        """Hold the connection inside a transaction; return after its COMMIT, or undo on an error."""
        await self._enter(urgent=urgent)
        try:
            group = self._group = self._group or await self._begin(urgent=urgent)
        except BaseException:
            self._pass_on()
            raise
        try:
            async with _unit(group):
                yield group.connection
            group.labels.append(label)
        finally:
            await self._leave(group)
        await group.committed

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
                await self._decline()
            raise

    async def _decline(self) -> None:
        if self._group is None:
            self._pass_on()
        else:
            await self._leave(self._group)

    async def _begin(self, *, urgent: bool) -> Group:
        connection = await self._engine.connect()
        try:
            await connection.begin()
        except BaseException:
            await connection.close()
            raise
        committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        return Group(connection, shared=urgent and bool(self._urgent), committed=committed)

    async def _leave(self, group: Group) -> None:
        """Let the next unit of the group in, or settle the group; settling survives our being cancelled."""
        if group.shared and len(group.labels) < LARGEST_GROUP and _wake(self._urgent):
            return
        task = asyncio.create_task(self._settle(group))
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)
        await asyncio.shield(task)

    async def _settle(self, group: Group) -> None:
        self._group = None
        try:
            await self._commit(group)
        except SQLAlchemyError as error:
            group.committed.set_exception(error)
            group.committed.exception()  # seen, even if every unit was cancelled
        else:
            group.committed.set_result(None)
        finally:
            await group.connection.close()
            self._pass_on()

    async def _commit(self, group: Group) -> None:
        if not group.labels:
            await group.connection.rollback()
            return
        for label in group.labels:
            self._boundary("before", label)
        await group.connection.commit()
        for label in group.labels:
            self._boundary("after", label)

    def _pass_on(self) -> None:
        self._held = _wake(self._urgent) or _wake(self._patient)


def _wake(waiting: deque[asyncio.Future[None]]) -> bool:
    """Give the turn to the first that still waits; say whether there was one."""
    while waiting:
        turn = waiting.popleft()
        if not turn.done():
            turn.set_result(None)
            return True
    return False


@asynccontextmanager
async def _unit(group: Group) -> AsyncIterator[None]:
    """One unit's part of a group: within a savepoint where it shares the transaction with others."""
    if not group.shared:
        yield
        return
    async with group.connection.begin_nested():
        yield
