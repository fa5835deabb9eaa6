"""Opens the database and gives out units of work; it knows no table."""

from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from sqlalchemy.engine import make_url
from sqlalchemy.exc import InterfaceError, OperationalError

from db.fences import Fence, present
from db.postgresql import PostgresStore
from db.sqlite import SqliteStore
from db.statements import Statements
from db.turns import StillMine
from db.uow import UnitOfWork
from db.wakeup import KNOWLEDGE, OUTBOX, Wakeup
from db.writer import Boundary
from support_agents.domain.errors import SupportError
from support_agents.domain.events import EventName

_UNAVAILABLE = (OperationalError, InterfaceError)


class Store(Protocol):
    """What differs between the two databases."""

    @property
    def committed(self) -> Wakeup:
        """Set after commits that added outbox rows."""
        ...

    @property
    def knowledge(self) -> Wakeup:
        """Set after commits that changed articles."""
        ...

    def write(self, label: str, *, urgent: bool, fence: Fence) -> AbstractAsyncContextManager[Statements]:
        """One writing transaction behind the fence; committed when the context has been left."""
        ...

    def read(self, fence: Fence) -> AbstractAsyncContextManager[Statements]:
        """One transaction that cannot write."""
        ...

    async def announce(self, statements: Statements, channel: str) -> None:
        """Within the transaction: have its commit wake other processes too."""
        ...

    def turn(self, name: str) -> AbstractAsyncContextManager[StillMine]:
        """Wait for a turn that one process has at a time."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...


def no_boundary(_side: str, _label: str) -> None:
    """Outside of tests nothing happens at a commit boundary."""


class Database:
    """One database. Make it with `open`; closing is the caller's duty."""

    def __init__(self, store: Store, heard: Collection[EventName] = ()) -> None:
        self._store = store
        self._heard = heard

    @classmethod
    def open(
        cls, url: str, *, boundary: Boundary = no_boundary, heard: Collection[EventName] = (), direct: str = ""
    ) -> "Database":
        """Open `sqlite+aiosqlite:///…` or `postgresql+psycopg://…`; connects at first use.

        `boundary("before" | "after", label)` is called around each COMMIT of a writing unit of work. `heard` are events
        that are put into the outbox only where somebody listens to them (`REQUEST_CHANGED`). `direct` is the address
        past a pooler, for what belongs to a session: LISTEN and turns.
        """
        parsed = make_url(url)
        backend = parsed.get_backend_name()
        if backend == "sqlite":
            return cls(SqliteStore.open(parsed, boundary=boundary), heard)
        if backend == "postgresql":
            return cls(
                PostgresStore.open(parsed, boundary=boundary, direct=make_url(direct) if direct else None), heard
            )
        raise SupportError("unknown_database", f"no such kind of database: {backend}")

    @classmethod
    def open_replica(cls, url: str) -> "Database":
        """Open a server that follows another, `postgresql+psycopg://…`, for reading alone; connects at first use."""
        return cls(PostgresStore.open_replica(make_url(url)))

    @property
    def committed(self) -> Wakeup:
        """Set after any commit that added outbox rows."""
        return self._store.committed

    @property
    def knowledge(self) -> Wakeup:
        """Set after any commit that changed articles."""
        return self._store.knowledge

    def turn(self, name: str) -> AbstractAsyncContextManager[StillMine]:
        """Wait for a turn that one process of all on this database has at a time; see `db.turns`."""
        return self._store.turn(name)

    @asynccontextmanager
    async def write(self, label: str, *, urgent: bool = False, fence: Fence | None = None) -> AsyncIterator[UnitOfWork]:
        """One transaction: committed on a clean exit, rolled back on an error; urgent ones go first on SQLite.

        `fence` says whose rows it may see, where that is not the task's own (`db.fences.present`).
        """
        try:
            async with self._store.write(label, urgent=urgent, fence=fence or present()) as statements:
                uow = UnitOfWork(statements, self._heard)
                yield uow
                await uow.audit.flush()
                if uow.outbox.added:
                    await self._store.announce(statements, OUTBOX)
                if uow.outbox.knowledge_changed:
                    await self._store.announce(statements, KNOWLEDGE)
        except _UNAVAILABLE as error:
            raise _unavailable(error) from error
        if uow.outbox.added:
            self.committed.set()
        if uow.outbox.knowledge_changed:
            self.knowledge.set()

    @asynccontextmanager
    async def read(self, fence: Fence | None = None) -> AsyncIterator[UnitOfWork]:
        """One consistent view that cannot write; `fence` as for `write`."""
        try:
            async with self._store.read(fence or present()) as statements:
                yield UnitOfWork(statements)
        except _UNAVAILABLE as error:
            raise _unavailable(error) from error

    async def close(self) -> None:
        """Close every connection."""
        await self._store.close()


def _unavailable(error: OperationalError | InterfaceError) -> SupportError:
    """Say in our own words that the database could not be reached, was busy, or undid a deadlock."""
    return SupportError("database_unavailable", str(error.orig), retryable=True)
