"""Carries statements to PostgreSQL and their rows back, several in one message; it knows no transaction."""

from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import psycopg
from psycopg.abc import Buffer, PQGen
from psycopg.abc import Transformer as Adapting
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import InFailedSqlTransaction, error_from_result
from psycopg.pq import ConnStatus, ExecStatus, PipelineStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.waiting import READY_R, WAIT_R, WAIT_RW

Driver = psycopg.AsyncConnection[Any]
Rows = list[tuple[Any, ...]]
# Names that a connection has given to texts, where it is a session of the server's and keeps them.
Prepared = MutableMapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Command:
    """One statement with its values; `lasting` is worth a name of its own on the server."""

    sql: bytes
    values: Sequence[Any] = ()
    lasting: bool = True
    tag: bytes = b""  # what the server must answer, where another answer would be no error to it


class CommandFailed(Exception):  # noqa: N818 - says which of several
    """The server refused a command, and left out those after it; or the connection was lost on the way."""

    def __init__(self, at: int, error: psycopg.Error) -> None:
        super().__init__(str(error))
        self.at, self.error = at, error


async def carry(driver: Driver, commands: Sequence[Command], prepared: Prepared | None) -> list[Rows]:
    """Send them together and return each one's rows; `CommandFailed` names the first that failed.

    Whoever is cancelled meanwhile has the server stop, and the connection can be used again or is closed.
    """
    try:
        async with driver.lock:
            found = await driver.wait(_carried(driver, commands, prepared))
    except psycopg.OperationalError as error:  # it was closed before
        raise CommandFailed(0, error) from error
    if isinstance(found, CommandFailed):
        raise found from found.error
    return found


def _carried(
    driver: Driver, commands: Sequence[Command], prepared: Prepared | None
) -> PQGen[list[Rows] | CommandFailed]:
    """Returns what failed: psycopg closes the connection of who was cancelled if his question ends by an error."""
    connection, adapting = driver.pgconn, Transformer(driver)
    steps: list[_Step] = []
    results: list[PGresult] = []
    try:
        # All of it before any is sent: a value that cannot be stored, such as a NUL, is found here.
        steps += _steps(commands, adapting, prepared)
        connection.enter_pipeline_mode()
        for step in steps:
            step.send(connection)
        connection.pipeline_sync()
        yield from _flushed(connection)
        yield from _received(connection, results)
        connection.exit_pipeline_mode()
    except psycopg.Error as error:
        if connection.pipeline_status != PipelineStatus.OFF:  # whatever it was, nobody knows what comes next
            connection.finish()
        # What the server said before it went away tells more than that it went away.
        return _refused(driver, steps, results) or CommandFailed(0, error)
    if prepared is not None:
        known = zip(steps, results, strict=True)
        prepared.update({s.command.sql: s.name for s, r in known if s.names and r.status == ExecStatus.COMMAND_OK})
    if refused := _refused(driver, steps, results):
        return refused
    return [_rows(adapting, result) for step, result in zip(steps, results, strict=True) if not step.names]


@dataclass(frozen=True, slots=True)
class _Step:
    """What is sent for a command: its text to be given a name, or its values, to a text or to a name."""

    at: int
    command: Command
    values: Sequence[Buffer | None] = ()
    name: bytes = b""
    names: bool = False

    def send(self, connection: PGconn) -> None:
        if self.names:
            connection.send_prepare(self.name, self.command.sql)
            return
        if self.name:
            connection.send_query_prepared(self.name, self.values)
        else:
            connection.send_query_params(self.command.sql, self.values)


def _steps(commands: Sequence[Command], adapting: Adapting, prepared: Prepared | None) -> Iterator[_Step]:
    coming: dict[bytes, bytes] = {}
    for at, command in enumerate(commands):
        # As text and without a type: the statement's own casts say what it is, whatever was given last time.
        values = adapting.dump_sequence(command.values, [PyFormat.TEXT] * len(command.values))
        if prepared is None or not command.lasting:
            yield _Step(at, command, values)
            continue
        name = prepared.get(command.sql) or coming.get(command.sql)
        if name is None:
            name = coming[command.sql] = b"support_%d" % (len(prepared) + len(coming))
            yield _Step(at, command, name=name, names=True)
        yield _Step(at, command, values, name)


def _flushed(connection: PGconn) -> PQGen[None]:
    while connection.flush():
        # The server may wait for us to read before it reads on.
        ready = cast("int | None", (yield WAIT_RW))
        if ready is None or ready & READY_R:  # None: whoever asked was cancelled, and the server has been told
            connection.consume_input()


def _received(connection: PGconn, results: list[PGresult]) -> PQGen[None]:
    """Take one result of each step, up to the end of the trip."""
    while True:
        while connection.is_busy():
            yield WAIT_R
            connection.consume_input()
        result = connection.get_result()
        if result is None:  # between two steps
            if connection.status == ConnStatus.BAD:
                raise psycopg.OperationalError(connection.get_error_message())
        elif result.status == ExecStatus.PIPELINE_SYNC:
            return
        else:
            results.append(result)


def _refused(driver: Driver, steps: Sequence[_Step], results: Sequence[PGresult]) -> CommandFailed | None:
    for step, result in zip(steps, results, strict=False):
        if result.status == ExecStatus.FATAL_ERROR:
            return CommandFailed(step.at, error_from_result(result, driver.info.encoding))
        if step.command.tag and result.command_status != step.command.tag:
            told = (result.command_status or b"nothing").decode()
            return CommandFailed(step.at, InFailedSqlTransaction(f"the server answered {told}"))
    return None


def _rows(adapting: Adapting, result: PGresult) -> Rows:
    if result.status != ExecStatus.TUPLES_OK:
        return []
    adapting.set_pgresult(result)
    return adapting.load_rows(0, result.ntuples, tuple)
