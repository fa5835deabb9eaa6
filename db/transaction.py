"""One transaction on PostgreSQL, whose statements go together wherever nobody waits for an answer between them."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Self, cast

import psycopg
from sqlalchemy.engine import Connection, Result
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.made import POSTGRESQL, Plan, Values
from db.trips import Command, CommandFailed, Driver, Prepared, Rows, carry

# The COMMIT of a transaction in which something failed is a ROLLBACK to the server, and no error.
COMMIT, ROLLBACK = Command(b"COMMIT", lasting=False, tag=b"COMMIT"), Command(b"ROLLBACK", lasting=False)
_NAMES = "names of statements"
# A name that the server does not know, or a plan that no longer fits its table: a new connection has neither, and
# any other of the pool may have it as well.
_OUTDATED = (psycopg.errors.InvalidSqlStatementName, psycopg.errors.FeatureNotSupported)


class Transaction:
    """Begins with the first statement, in the same message; that message finds out whether the server is there.

    `keeps_names`: the connection is a session of the server's, which remembers what was prepared in it.
    """

    def __init__(self, engine: AsyncEngine, begin: Sequence[str], *, keeps_names: bool) -> None:
        self._engine, self._keeps_names = engine, keeps_names
        self._begin = [Command(each.encode(), lasting=False) for each in begin]
        self._begun = self._failed = False
        self._waiting: list[tuple[Command, Plan | None]] = []
        self._connection: AsyncConnection | None = None

    @property
    def connection(self) -> AsyncConnection:
        """The connection it has."""
        if self._connection is None:
            raise RuntimeError("a transaction outside of its context")
        return self._connection

    async def __aenter__(self) -> Self:
        self._connection = await self._engine.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        # A cancelled task still gives its connection back as it was.
        await asyncio.shield(asyncio.create_task(self._end(), name="end of transaction"))

    def later(self, plan: Plan, given: Values) -> None:
        """Have a statement go along with the next that is waited for; its error is raised there."""
        self._add(plan, given)

    async def ask(self, plan: Plan, given: Values) -> Result[*tuple[Any, ...]]:
        """Send what waits and this, and return its rows."""
        self._add(plan, given)
        return plan.result((await self._sent())[-1])

    async def catch_up(self) -> None:
        """Send what waits, and begin if that has not been done: something else is about to use the connection."""
        if self._waiting or not self._begun:
            await self._sent()

    async def commit(self) -> None:
        """Send what waits with the COMMIT; where nothing was sent, nothing is."""
        if not self._begun:
            if not self._waiting:
                return
            await self._sent()  # apart: a COMMIT that was lost on its way is never sent again
        self._waiting.append((COMMIT, None))
        await self._sent()
        self._begun = False

    def _add(self, plan: Plan, given: Values) -> None:
        command = Command(plan.sql, plan.values(given))
        self._waiting.append((command, plan))
        connection = opened(self.connection)
        if is_listened_to(connection):
            tell(connection, plan, given, plan.told, plan.named(command.values))

    async def _sent(self) -> list[Rows]:
        if self._failed:  # perhaps nothing of it was sent, not even the BEGIN and its fence
            raise RuntimeError("a transaction in which something failed cannot go on")
        try:
            return await self._sent_together()
        except BaseException:
            self._failed = True
            raise

    async def _sent_together(self) -> list[Rows]:
        waiting, self._waiting = self._waiting, []
        if self._begun:
            return await self._carried(waiting)
        waiting[:0] = [(command, None) for command in self._begin]
        self._begun = True
        try:
            return await self._carried(waiting)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        # The pool's connections are older than the server is up; it has thrown them away now. Nothing was committed.
        self._begun = False  # until there is another connection there is nothing to undo
        await self.connection.close()
        self._connection = await self._engine.connect()
        self._begun = True
        return await self._carried(waiting)

    async def _carried(self, waiting: Sequence[tuple[Command, Plan | None]]) -> list[Rows]:
        try:
            return await carry(self._driver(), [command for command, _ in waiting], self._names())
        except CommandFailed as failed:
            error, outdated = failed.error, isinstance(failed.error, _OUTDATED)
            if outdated:  # nothing is wrong with what was asked: the next connection will take it
                error = psycopg.OperationalError(str(error))
            lost = outdated or self._driver().closed
            if lost:
                await self._throw_away()
            command, plan = waiting[failed.at]
            raise DBAPIError.instance(
                command.sql.decode() if plan is None else plan.told,
                None,
                error,
                psycopg.Error,
                hide_parameters=True,
                connection_invalidated=lost,
                dialect=POSTGRESQL,
            ) from failed.error

    async def _throw_away(self) -> None:
        """Have the pool find out by itself that this connection is of no use, so that it throws away all as old."""
        await self._driver().close()
        with suppress(DBAPIError):
            await self.connection.exec_driver_sql("SELECT 1")
        if not self.connection.invalidated:
            await self.connection.invalidate()

    def _driver(self) -> Driver:
        return cast("Driver", opened(self.connection).connection.driver_connection)

    def _names(self) -> Prepared | None:
        return opened(self.connection).info.setdefault(_NAMES, {}) if self._keeps_names else None

    async def _end(self) -> None:
        """Undo what was not committed, and give the connection back."""
        try:
            # By psycopg's own ROLLBACK the session would forget every statement that has a name.
            if self._begun and not self.connection.invalidated:
                with suppress(DBAPIError):
                    self._waiting = []
                    await self._carried([(ROLLBACK, None)])
        finally:
            await self.connection.close()


def opened(connection: AsyncConnection) -> Connection:
    """What SQLAlchemy's own connection is made around."""
    if connection.sync_connection is None:
        raise RuntimeError("statements need a connection that is open")
    return connection.sync_connection


def is_listened_to(connection: Connection) -> bool:
    """Whether anybody wants to hear what is executed."""
    listening = connection.dispatch
    return bool(listening.before_execute or listening.before_cursor_execute)


def tell(connection: Connection, plan: Plan, given: Values, text: str, values: object) -> None:
    """Have whoever listens hear of a statement as of what SQLAlchemy sends."""
    connection.dispatch.before_execute(connection, plan.statement, [], given, {})
    connection.dispatch.before_cursor_execute(connection, None, text, values, None, False)  # noqa: FBT003 - the event's own form
