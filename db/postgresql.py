"""PostgreSQL as the server database, by psycopg 3; it knows no table."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self

from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from db.wakeup import CHANNEL, ListeningWakeup
from db.writer import Boundary

OPTIONS = "-c timezone=UTC -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"
NOTIFY = text("SELECT pg_notify(:channel, '')").bindparams(channel=CHANNEL)


@dataclass(frozen=True)
class PostgresStore:
    """A pool, and a direct connection that listens."""

    engine: AsyncEngine
    boundary: Boundary
    committed: ListeningWakeup

    @classmethod
    def open(cls, url: URL, *, boundary: Boundary) -> Self:
        """Prepare the engine; nothing is opened before first use."""
        # Asked before each use: after a restart of the server nobody is handed a connection that is dead.
        engine = create_async_engine(
            url, pool_size=10, max_overflow=10, pool_pre_ping=True, connect_args={"options": OPTIONS}
        )
        conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
        return cls(engine, boundary, ListeningWakeup(conninfo))

    @asynccontextmanager
    async def write(self, label: str, *, urgent: bool) -> AsyncIterator[AsyncConnection]:  # noqa: ARG002 - row locks order writers here
        """One transaction, READ COMMITTED; rows that decide are locked by those who decide."""
        async with self.engine.connect() as connection:
            async with connection.begin() as transaction:
                yield connection
                self.boundary("before", label)
                await transaction.commit()
            self.boundary("after", label)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """One snapshot, READ ONLY."""
        async with self.engine.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield connection

    async def announce(self, connection: AsyncConnection) -> None:
        """NOTIFY, delivered by the commit."""
        await connection.execute(NOTIFY)

    async def close(self) -> None:
        """Close every connection."""
        await self.committed.close()
        await self.engine.dispose()
