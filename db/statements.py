"""Sends statements inside a transaction; beginning and ending that transaction are its maker's affair."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, overload

from sqlalchemy import Executable
from sqlalchemy.engine import Dialect, Result
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncResult
from sqlalchemy.sql.selectable import TypedReturnsRows
from sqlalchemy.util.concurrency import greenlet_spawn
from sqlalchemy.util.typing import TupleAny, TypeVarTuple, Unpack

from db.made import POSTGRESQL, SQLITE, Plan, Values, plan_of
from db.sqlite_driver import writer_of
from db.transaction import Transaction, is_listened_to, opened, tell

Columns = TypeVarTuple("Columns")
Given = Mapping[str, Any] | Sequence[Mapping[str, Any]]

_BATCH = 2_000


class Statements:
    """What repositories and read models speak through.

    No ORM session: no row is ever loaded as an object here, and its book-keeping took a fifth of a statement's time.
    """

    __slots__ = ("_on",)
    _dialect: ClassVar[Dialect | None] = None

    def __init__(self, connection: AsyncConnection) -> None:
        self._on = connection

    @overload
    async def execute(
        self, statement: TypedReturnsRows[Unpack[Columns]], given: Given | None = None
    ) -> Result[Unpack[Columns]]: ...
    @overload
    async def execute(self, statement: Executable, given: Given | None = None) -> Result[Unpack[TupleAny]]: ...
    async def execute(self, statement: Executable, given: Given | None = None) -> Result[Unpack[TupleAny]]:
        """Send one statement; a list of values sends it once for each of them."""
        if self._dialect is not None and (given is None or isinstance(given, Mapping)):
            values = given or {}
            plan = plan_of(statement, values, self._dialect)
            if plan is not None:
                return await self._planned(plan, values)
        return await self._unplanned(statement, given)

    async def _planned(self, plan: Plan, given: Values) -> Result[Unpack[TupleAny]]:
        """Have a statement that was made once carried out past SQLAlchemy, where `_dialect` says that it is."""
        raise NotImplementedError

    async def _unplanned(self, statement: Executable, given: Given | None) -> Result[Unpack[TupleAny]]:
        # Not `AsyncConnection.execute`: it insists on a trip to another thread, which SQLite's writer does not make.
        return await greenlet_spawn(opened(self._on).execute, statement, given)

    async def scalar(self, statement: Executable, given: Given | None = None) -> Any:  # noqa: ANN401 - any column
        """The first column of the first row, or None."""
        return (await self.execute(statement, given)).scalar()

    async def later(self, statement: Executable, given: Values) -> None:
        """Send a statement whose answer nobody needs, at the latest with the commit, in its place among the others.

        What the database has against it may be said only there; it undoes the same transaction.
        """
        await self.execute(statement, given)

    async def stream(self, statement: Executable, given: Given | None = None) -> AsyncResult[Unpack[TupleAny]]:
        """Send one statement and read its rows as they come, in batches that do not fill the memory."""
        return await self._on.stream(statement, given, execution_options={"yield_per": _BATCH})

    @property
    def backend(self) -> str:
        """Which database it leads to: `sqlite` or `postgresql`."""
        return self._on.dialect.name


class TransactionStatements(Statements):
    """The same on PostgreSQL: statements that were made once travel by `db.transaction`, others by SQLAlchemy."""

    __slots__ = ("_transaction",)
    _dialect = POSTGRESQL

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(transaction.connection)
        self._transaction = transaction

    async def _planned(self, plan: Plan, given: Values) -> Result[Unpack[TupleAny]]:
        """Send what waits, and this."""
        return await self._transaction.ask(plan, given)

    async def _unplanned(self, statement: Executable, given: Given | None) -> Result[Unpack[TupleAny]]:
        """Send what waits, and this."""
        await self._transaction.catch_up()
        self._on = self._transaction.connection
        return await super()._unplanned(statement, given)

    async def later(self, statement: Executable, given: Values) -> None:
        """Keep it until the next statement that is waited for, if it was made once."""
        plan = plan_of(statement, given, POSTGRESQL)
        if plan is None:
            await self.execute(statement, given)
        else:
            self._transaction.later(plan, given)

    async def stream(self, statement: Executable, given: Given | None = None) -> AsyncResult[Unpack[TupleAny]]:
        """Send what waits, and this."""
        await self._transaction.catch_up()
        self._on = self._transaction.connection
        return await super().stream(statement, given)


class WriterStatements(Statements):
    """The same on SQLite's writer: statements that were made once are carried out on the spot, past SQLAlchemy."""

    __slots__ = ("_told", "_writer")
    _dialect = SQLITE

    def __init__(self, connection: AsyncConnection) -> None:
        super().__init__(connection)
        self._writer = writer_of(connection)
        opened_now = opened(connection)
        # Whoever begins to listen hears of the next transaction.
        self._told = opened_now if is_listened_to(opened_now) else None

    async def _planned(self, plan: Plan, given: Values) -> Result[Unpack[TupleAny]]:
        """Carry it out now."""
        values = plan.values(given)
        if self._told is not None:
            tell(self._told, plan, given, plan.text, tuple(values))
        return plan.result(self._writer.at_once(plan.text, values))
