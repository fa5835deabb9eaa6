"""Sends statements inside a transaction; beginning and ending that transaction are its maker's affair."""

from collections.abc import Mapping, Sequence
from typing import Any, overload

from sqlalchemy import Connection, Executable
from sqlalchemy.engine import Result
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncResult
from sqlalchemy.sql.selectable import TypedReturnsRows
from sqlalchemy.util.concurrency import greenlet_spawn
from sqlalchemy.util.typing import TupleAny, TypeVarTuple, Unpack

Columns = TypeVarTuple("Columns")
Given = Mapping[str, Any] | Sequence[Mapping[str, Any]]

_BATCH = 2_000


class Statements:
    """What repositories and read models speak through.

    No ORM session: no row is ever loaded as an object here, and its book-keeping took a fifth of a statement's time.
    """

    __slots__ = ("_connection", "_streaming")

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection, self._streaming = _open(connection), connection

    @overload
    async def execute(
        self, statement: TypedReturnsRows[Unpack[Columns]], given: Given | None = None
    ) -> Result[Unpack[Columns]]: ...
    @overload
    async def execute(self, statement: Executable, given: Given | None = None) -> Result[Unpack[TupleAny]]: ...
    async def execute(self, statement: Executable, given: Given | None = None) -> Result[Unpack[TupleAny]]:
        """Send one statement; a list of values sends it once for each of them."""
        # Not `AsyncConnection.execute`: it insists on a trip to another thread, which SQLite's writer does not make.
        return await greenlet_spawn(self._connection.execute, statement, given)

    async def scalar(self, statement: Executable, given: Given | None = None) -> Any:  # noqa: ANN401 - any column
        """The first column of the first row, or None."""
        return (await self.execute(statement, given)).scalar()

    async def stream(self, statement: Executable, given: Given | None = None) -> AsyncResult[Unpack[TupleAny]]:
        """Send one statement and read its rows as they come, in batches that do not fill the memory."""
        return await self._streaming.stream(statement, given, execution_options={"yield_per": _BATCH})

    def get_bind(self) -> Connection:
        """The connection, to ask which database it leads to."""
        return self._connection


def _open(connection: AsyncConnection) -> Connection:
    if connection.sync_connection is None:
        raise RuntimeError("statements need a connection that is open")
    return connection.sync_connection
