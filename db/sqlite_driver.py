"""SQLAlchemy's view of aiosqlite without its four trips to another thread per statement; the SQL stays the same."""

# aiosqlite runs every call in the connection's thread. Opening a cursor, executing, fetching and closing are one trip
# here. The writer goes further: its statements touch a few rows by key (0.1 ms, less than the way there and back), so
# they run where they are called; only what may wait – BEGIN while another process writes, COMMIT for the disk, and many
# rows – makes the trip. Never do both at once on one connection: a unit of work has its connection to itself.

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

import aiosqlite
from sqlalchemy.connectors.asyncio import AsyncIODBAPIConnection
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)
from sqlalchemy.exc import DBAPIError, OperationalError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.util.concurrency import await_

from db.transaction import opened

# More rows than this are sent to the thread, so that the event loop does not stand still.
FEW = 64
# How long to wait for other processes.
PATIENCE_MS = 5_000
# So that what runs on the event loop never waits: the writer has the file to itself once it has begun.
IMPATIENT = "PRAGMA busy_timeout=0"
# A deferred transaction that reads and then writes fails at once when another wrote in between.
_BEGIN = "BEGIN IMMEDIATE"
_COMMIT = "COMMIT"
_CLOSED = "the connection has been closed"


class Cursor(AsyncAdapt_aiosqlite_cursor):
    """Executes, fetches all and closes in one go; results here are bounded."""

    __slots__ = ("_description", "_lastrowid", "_rowcount")

    # ruff: noqa: SLF001 - this module is a part of the adapter whose underscored parts it uses
    # ruff: noqa: D102, ANN401 - the methods are those of PEP 249 cursors

    def __init__(self, adapt_connection: AsyncAdapt_aiosqlite_connection) -> None:
        # The parent would open a cursor in the thread first.
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection._connection
        self._rows = deque()
        self._description: Any = None
        self._rowcount, self._lastrowid = -1, 0

    @property
    def description(self) -> Any:
        return self._description

    @property
    def rowcount(self) -> int:
        return self._rowcount

    @property
    def lastrowid(self) -> int:
        return self._lastrowid

    def execute(self, operation: Any, parameters: Any = None) -> None:
        if operation == "BEGIN" and isinstance(self._adapt_connection, ReaderConnection):
            self._adapt_connection.begins = True
            return
        self._do(lambda cursor: cursor.execute(operation, parameters or ()), waits=False)

    def executemany(self, operation: Any, seq_of_parameters: Sequence[Any]) -> None:
        self._do(lambda cursor: cursor.executemany(operation, seq_of_parameters), waits=len(seq_of_parameters) > FEW)

    def close(self) -> None:
        self._rows.clear()

    async def _async_soft_close(self) -> None:
        """Nothing is left open."""

    def _do(self, work: Callable[[sqlite3.Cursor], object], *, waits: bool) -> None:
        try:
            if isinstance(self._adapt_connection, ReaderConnection):
                self._adapt_connection.carry_out(partial(self._carry_out, work))
            elif waits:
                await_(self._connection._execute(self._carry_out, work))
            else:
                self._carry_out(work)
        except Exception as error:  # noqa: BLE001 - translated and raised again, as the parent does
            self._adapt_connection._handle_exception(error)

    def _carry_out(self, work: Callable[[sqlite3.Cursor], object]) -> None:
        cursor = self._connection._conn.cursor()
        try:
            work(cursor)
            self._description = cursor.description
            if cursor.description is not None:
                self._rows = deque(cursor.fetchall())
            self._rowcount, self._lastrowid = cursor.rowcount, cursor.lastrowid or 0
        finally:
            cursor.close()


class WriterConnection(AsyncAdapt_aiosqlite_connection):
    """Statements that cannot wait make no trip."""

    __slots__ = ()

    _cursor_cls = Cursor  # type: ignore[assignment] # annotated by the parent as its own class

    async def begin(self) -> None:
        """Begin a transaction that writes: at once, or when other processes let it."""
        try:
            self.at_once(_BEGIN)
        except OperationalError:  # the same again, with patience, tells what is wrong
            await self._apart(self._begin_patiently, _BEGIN)

    def _begin_patiently(self) -> None:
        self.at_once(f"PRAGMA busy_timeout={PATIENCE_MS}")
        try:
            self.at_once(_BEGIN)
        finally:
            self.at_once(IMPATIENT)

    async def end(self) -> None:
        """Commit."""
        await self._apart(partial(self.at_once, _COMMIT), _COMMIT)

    def at_once(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Carry out one statement and return its rows; `DBAPIError` as SQLAlchemy would raise it."""
        try:
            rows: list[tuple[Any, ...]] = self._connection._conn.execute(sql, values).fetchall()
        except (sqlite3.Error, ValueError) as error:
            if not self.is_open:
                raise _refused(sql, sqlite3.OperationalError(_CLOSED)) from error
            if isinstance(error, ValueError):
                raise
            raise _refused(sql, error) from error
        return rows

    @property
    def is_open(self) -> bool:
        """Whether nobody has closed it; aiosqlite raises a ValueError from then on."""
        return self._connection._running and self._connection._connection is not None

    async def _apart(self, work: Callable[..., object], sql: str) -> None:
        """Do it in the thread."""
        if not self.is_open:
            raise _refused(sql, sqlite3.OperationalError(_CLOSED))
        await self._connection._execute(work)


def _refused(sql: str, error: sqlite3.Error) -> StatementError:
    """As SQLAlchemy would raise it."""
    return DBAPIError.instance(sql, None, error, sqlite3.Error, hide_parameters=True)


def writer_of(connection: AsyncConnection) -> WriterConnection:
    """The driver's side of a connection to write on."""
    return cast("WriterConnection", opened(connection).connection.dbapi_connection)


class ReaderConnection(AsyncAdapt_aiosqlite_connection):
    """Every statement makes one trip; `begins` until the first of a view, `busy` while one may still be on its way."""

    __slots__ = ("begins", "busy")

    _cursor_cls = Cursor  # type: ignore[assignment] # as above

    def __init__(self, dbapi: Any, connection: AsyncIODBAPIConnection) -> None:
        super().__init__(dbapi, connection)
        self.begins = self.busy = False

    def carry_out(self, work: Callable[[], None]) -> None:
        """Make the trip; who was cancelled meanwhile leaves the statement behind in the thread."""
        self.busy = True
        try:
            await_(self._connection._execute(self._begun, work))
        except Exception:
            self.busy = False
            raise
        self.busy = False

    def _begun(self, work: Callable[[], None]) -> None:
        if self.begins:
            self._connection._conn.execute("BEGIN")
            self.begins = False
        work()

    def rollback(self) -> None:
        if self.busy or not self._connection._connection:
            super().rollback()
        elif not self.begins:
            self._connection._conn.rollback()
        self.begins = self.busy = False


class Driver(AsyncAdapt_aiosqlite_dbapi):
    """To be given to `create_async_engine(module=…)`."""

    def __init__(self, kind: type[ReaderConnection | WriterConnection]) -> None:
        super().__init__(aiosqlite, sqlite3)
        self._kind = kind

    def connect(self, *args: Any, **options: Any) -> ReaderConnection | WriterConnection:
        connection = aiosqlite.connect(*args, **options | {"check_same_thread": False})
        connection._thread.daemon = True
        try:
            opened = await_(connection)
        except sqlite3.Error:
            connection._thread.join()  # it is ending; left alone it might still speak to an event loop that has closed
            raise
        return self._kind(self, cast("AsyncIODBAPIConnection", opened))
