"""PostgreSQL as the server database, by psycopg 3; it knows no table."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Self

from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from db.fences import Fence
from db.made import made
from db.statements import Statements, TransactionStatements
from db.transaction import Transaction
from db.turns import StillMine, turn
from db.wakeup import KNOWLEDGE, OUTBOX, ListeningWakeup
from db.writer import Boundary

# Transactions are begun and ended by `db.transaction`.
_PLAIN = "AUTOCOMMIT"
_WRITING, _READING = "BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
# What holds for a session, where a connection is a session of the server's, and otherwise for each transaction.
LIMITS = {"timezone": "UTC", "lock_timeout": "10s", "idle_in_transaction_session_timeout": "60s"}
OPTIONS = " ".join(f"-c {name}={value}" for name, value in LIMITS.items())
POOLED = tuple(f"SET LOCAL {name} = '{value}'" for name, value in LIMITS.items())
# A page of the console waits no longer for a replica that does not answer.
_REPLICA_SECONDS = 2
NOTIFY = made(text("SELECT pg_notify(:channel, '')"))


@dataclass(frozen=True)
class PostgresStore:
    """A pool, and direct connections that listen where somebody waits."""

    engine: AsyncEngine
    boundary: Boundary
    committed: ListeningWakeup
    knowledge: ListeningWakeup
    direct: str = field(repr=False)
    # What each transaction sets for itself, behind a pooler.
    limits: tuple[str, ...] = ()

    @classmethod
    def open(cls, url: URL, *, boundary: Boundary, direct: URL | None = None) -> Self:
        """Prepare the engine; nothing is opened before first use.

        `direct` leads past a pooler, which `url` leads to then: it may give each transaction to another session of the
        server, so nothing is set, prepared, locked or listened to on `url` that outlives a transaction.
        """
        pooled = direct is not None
        session = {"prepare_threshold": None} if pooled else {"options": OPTIONS}
        engine = create_async_engine(url, pool_size=10, max_overflow=10, isolation_level=_PLAIN, connect_args=session)
        return cls._on(engine, boundary, direct or url, POOLED if pooled else ())

    @classmethod
    def open_replica(cls, url: URL) -> Self:
        """Prepare an engine of its own for a server that is only read, be it for its own or for our will."""
        session = {"options": f"{OPTIONS} -c default_transaction_read_only=on", "connect_timeout": _REPLICA_SECONDS}
        engine = create_async_engine(url, pool_size=5, max_overflow=5, isolation_level=_PLAIN, connect_args=session)
        return cls._on(engine, lambda _side, _label: None, url, ())

    @classmethod
    def _on(cls, engine: AsyncEngine, boundary: Boundary, direct: URL, limits: tuple[str, ...]) -> Self:
        conninfo = direct.set(drivername="postgresql").render_as_string(hide_password=False)
        listening = ListeningWakeup(conninfo, OUTBOX), ListeningWakeup(conninfo, KNOWLEDGE)
        return cls(engine, boundary, *listening, conninfo, limits)

    @asynccontextmanager
    async def write(self, label: str, *, urgent: bool, fence: Fence) -> AsyncIterator[Statements]:  # noqa: ARG002 - row locks order writers here
        """One transaction, READ COMMITTED, behind the fence; rows that decide are locked by those who decide."""
        async with self._transaction(_WRITING, fence) as transaction:
            yield TransactionStatements(transaction)
            self.boundary("before", label)
            await transaction.commit()
        self.boundary("after", label)

    @asynccontextmanager
    async def read(self, fence: Fence) -> AsyncIterator[Statements]:
        """One snapshot, READ ONLY, behind the fence."""
        async with self._transaction(_READING, fence) as transaction:
            yield TransactionStatements(transaction)
            await transaction.commit()

    def _transaction(self, begin: str, fence: Fence) -> Transaction:
        return Transaction(self.engine, (begin, *self.limits, fence.statement), keeps_names=not self.limits)

    async def announce(self, statements: Statements, channel: str) -> None:
        """NOTIFY, delivered by the commit."""
        await statements.later(NOTIFY, {"channel": channel})

    def turn(self, name: str) -> AbstractAsyncContextManager[StillMine]:
        """Wait for a turn that one process has at a time."""
        return turn(self.direct, name)

    async def close(self) -> None:
        """Close every connection."""
        await self.committed.close()
        await self.knowledge.close()
        await self.engine.dispose()
