"""The first lock: whatever asks for rows of a workspace's says whose they are, or names them by a key of their own."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Engine, Table, UniqueConstraint, Uuid, event, select
from sqlalchemy.schema import Column
from sqlalchemy.sql import Alias, ClauseElement, operators, visitors
from sqlalchemy.sql.elements import BinaryExpression, ColumnElement

from db.base import table_of
from db.engine import Database
from db.models.tickets import TicketRow
from db.schema import METADATA
from db.uow import UnitOfWork
from tests.fixtures.many_rows import fill
from tests.integration.db.test_plans_at_size import CALLS, Call, Undone

ROWS = 20
_SAYS_WHICH = {operators.eq, operators.in_op, operators.is_}
# What asks for rows of every workspace on purpose, behind a fence that says why (`db.fences.Across`).
EVERYWHERE: Mapping[str, str] = {
    "api_tokens.find": "sign_in: the hash of a token says whose it is",
    "operators.use_link": "sign_in: as above, of a link that works once",
    "operators.session": "sign_in: as above, of a session",
    "approvals.expired": "upkeep: what is over by the clock",
    "approvals.stale": "upkeep: what a newer revision has overtaken",
    "executions.lapsed": "upkeep: what nobody ended in time",
    "executions.orphaned": "upkeep: as above",
    "attachments.forget_older": "upkeep: texts of files that have been kept for long enough",
    "slack.forget_deliveries": "upkeep: what is over by the clock",
    "executions.to_ask": "upkeep: what a provider is to be asked about",
    "outbox.claim": "dispatch: whatever is due first",
    "outbox.claim_to_send": "dispatch: as above",
    "outbox.clock_went_back": "dispatch: the newest event of all",
    "outbox.next_due": "dispatch: the next event of all",
    "outbox.seconds_to_next": "dispatch: as above",
    "outbox.release_all": "dispatch: what a killed process held",
    "outbox.waiting": "dispatch: articles that changed, whoever's they are",
    "pressure.waiting_for_runs": "dispatch: all that waits for the same processor",
}


def fenced_tables() -> frozenset[Table]:
    return frozenset(table for table in METADATA.tables.values() if "workspace_id" in table.c)


def names_rows(column: Column[Any]) -> bool:
    """Whether a value of the column says which row, or whose, is meant: nobody has two of them by chance."""
    table = _base(column.table)
    unique = (
        [each for each in table.constraints if isinstance(each, UniqueConstraint)] if isinstance(table, Table) else []
    )
    return isinstance(column.type, Uuid) or column.primary_key or any([*each.columns] == [column] for each in unique)


def unbounded(statement: ClauseElement) -> frozenset[str]:
    """The workspace's tables of a statement of which nothing says whose rows are meant."""
    told: set[Table] = set()
    joined: list[set[Table]] = []
    asked: set[Table] = set()
    for each in visitors.iterate(statement):
        table = each if isinstance(each, Table) else getattr(each, "table", None)
        asked |= {_base(table)} if table is not None else set()
        if isinstance(each, BinaryExpression) and each.operator in _SAYS_WHICH:
            sides = [{_base(column.table) for column in _columns(side)} for side in (each.left, each.right)]
            if all(sides):
                joined.append(sides[0] | sides[1])
            else:
                told |= sides[0] | sides[1]
    while reached := [tables for tables in joined if tables & told and tables - told]:
        told |= reached[0]  # what is joined by key to rows that are named is named as well
    return frozenset(table.name for table in (asked & fenced_tables()) - told)


def _base(table: Any) -> Any:
    """The table behind an alias; what is selected from stays what it is."""
    return _base(table.element) if isinstance(table, Alias) else table


def _columns(side: ColumnElement[Any]) -> Iterator[Column[Any]]:
    for part in visitors.iterate(side):
        if isinstance(part, Column) and names_rows(part):
            yield part


@contextmanager
def executed() -> Iterator[list[ClauseElement]]:
    found: list[ClauseElement] = []

    def note(_connection: object, statement: ClauseElement, *_: object) -> None:
        if getattr(statement, "is_select", False) or getattr(statement, "is_dml", False):
            found.append(statement)

    event.listen(Engine, "before_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_execute", note)


async def asked(database: Database, call: Call) -> list[ClauseElement]:
    with executed() as statements, suppress(Exception):
        async with database.write("probe") as uow:
            await call(uow)
            raise Undone
    return statements


async def test_every_query_says_whose_rows_it_means(postgres_url: str, open_database: Callable[..., Database]) -> None:
    fill(postgres_url, ROWS)
    database = open_database(postgres_url)
    wrong: dict[str, set[str]] = {}
    for name, call in CALLS.items():
        for statement in await asked(database, call):
            if not getattr(statement, "is_insert", False) and (tables := unbounded(statement)):
                wrong.setdefault(name, set()).update(tables)
    assert set(wrong) == set(EVERYWHERE), "\n".join(sorted(set(wrong) ^ set(EVERYWHERE)))


async def test_a_query_that_says_it_of_nothing_is_found(
    sqlite_url: str, open_database: Callable[..., Database]
) -> None:
    database = open_database(sqlite_url)
    tickets = table_of(TicketRow)

    async def forgotten(uow: UnitOfWork) -> None:
        await uow.session.execute(select(tickets.c.subject).where(tickets.c.status == "open"))

    (statement,) = await asked(database, forgotten)
    assert unbounded(statement) == {"tickets"}
    assert not unbounded(select(tickets.c.subject).where(tickets.c.workspace_id == None))  # noqa: E711
