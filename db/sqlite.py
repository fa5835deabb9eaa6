"""SQLite as the embedded database: durable, one writer, readers apart; it knows no table."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Self

from sqlalchemy import event
from sqlalchemy.engine import URL, Connection
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from db.fences import Fence
from db.sqlite_driver import IMPATIENT, PATIENCE_MS, Driver, ReaderConnection, WriterConnection
from db.statements import Statements
from db.turns import StillMine
from db.wakeup import Wakeup
from db.writer import Boundary, Writer
from support_agents.domain.errors import SupportError

# WAL lets readers go on while one writes; FULL makes a commit survive a power cut; the timeout is for other processes.
# Without recursive triggers a REPLACE deletes rows past the triggers that refuse it.
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "recursive_triggers=ON",
    f"busy_timeout={PATIENCE_MS}",
    "temp_store=MEMORY",
)
READERS = 4


@dataclass(frozen=True)
class SqliteStore:
    """A file with its writer and its readers."""

    writing: AsyncEngine
    reading: AsyncEngine
    writer: Writer
    committed: Wakeup
    knowledge: Wakeup

    @classmethod
    def open(cls, url: URL, *, boundary: Boundary) -> Self:
        """Prepare engines; nothing is opened before first use."""
        writing = create_async_engine(url, module=Driver(WriterConnection), pool_size=1, max_overflow=0)
        event.listen(writing.sync_engine, "connect", _prepare_writer)
        reading = create_async_engine(url, module=Driver(ReaderConnection), pool_size=READERS, max_overflow=0)
        event.listen(reading.sync_engine, "connect", _prepare_reader)
        event.listen(reading.sync_engine, "begin", _begin_deferred)
        return cls(writing, reading, Writer(writing, boundary), Wakeup(), Wakeup())

    def write(self, label: str, *, urgent: bool, fence: Fence) -> AbstractAsyncContextManager[Statements]:  # noqa: ARG002 - SQLite has no second lock
        """Take a turn of the writer."""
        return self.writer.turn(label, urgent=urgent)

    @asynccontextmanager
    async def read(self, fence: Fence) -> AsyncIterator[Statements]:  # noqa: ARG002 - as above
        """See one snapshot."""
        async with self.reading.connect() as connection:
            yield Statements(connection)

    async def announce(self, statements: Statements, channel: str) -> None:
        """Nobody else is told: the event in this process is enough."""

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[StillMine]:  # noqa: ARG002 - one process owns the file
        """Have the turn at once, for good."""
        yield _still_mine

    async def close(self) -> None:
        """Close every connection."""
        await self.writer.close()
        await self.reading.dispose()
        await self.writing.dispose()


async def _still_mine() -> None:
    """Nobody else can have it."""


def _prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions are begun below, never by the driver
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.execute("PRAGMA foreign_keys")
    if cursor.fetchone() != (1,):
        raise SupportError("no_foreign_keys", "this SQLite does not enforce foreign keys")
    cursor.close()


def _prepare_writer(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
    _prepare(connection, entry)
    cursor = connection.cursor()
    cursor.execute(IMPATIENT)
    cursor.close()


def _prepare_reader(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
    _prepare(connection, entry)
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only=ON")
    cursor.close()


def _begin_deferred(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
