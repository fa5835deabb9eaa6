"""With many rows in every table no statement of the database's own reads one of them whole (PostgreSQL's plans)."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from math import inf
from pkgutil import iter_modules, resolve_name
from types import ModuleType
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine, event, text
from sqlalchemy.engine import make_url

from api.telemetry.instruments import AGES
from db import read_models
from db.engine import Database
from db.fences import of
from db.parts import PARTED, REST
from db.read_models.queue import queue
from db.uow import UnitOfWork
from support_agents.domain.approval import RequestStatus
from support_agents.domain.ids import DEFAULT_WORKSPACE
from tests.fixtures.calls import arguments
from tests.fixtures.database import _administer, _url
from tests.fixtures.many_rows import FEW, fill, row_id
from tests.fixtures.parts import cut_first, whole_of

READ_MODELS: tuple[ModuleType, ...] = tuple(
    resolve_name(f"db.read_models.{found.name}") for found in iter_modules(read_models.__path__)
)
# So large a share of a table may be read where nothing limits it; all lists of ours are shorter.
SHARE = 0.05
# What reads a whole table on purpose, and why that is no fault.
WHOLE = {
    "knowledge.passage_ids": "the index is compared with all that is known, off the way of any message",
    "knowledge.contents": "as above",
    "knowledge.state": "asked while somebody waits for the index, once a second at most",
}
# Each table in parts has so many that hold rows, and one for the rest, which holds none.
PARTS = 4
EMPTY = frozenset(f"{table}_{REST}" for table in PARTED)
# Nobody listens to the first here; the others wait for the commit, and have nothing to insert.
SILENT = {"outbox.request_changed", "audit.append", "audit.flush"}
READY: Mapping[str, object] = {"ages": tuple(AGES.values()), "limit": 50, "cursor": None, "lease": timedelta(0)}
Statement = tuple[str, Any]
Call = Callable[[UnitOfWork], Awaitable[object]]


@pytest.fixture(scope="module", params=[10_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def rows(request: pytest.FixtureRequest) -> int:
    number: int = request.param
    return number


def spread(url: str, rows: int) -> None:
    """Have the rows lie in several parts of each table that has some."""
    with psycopg.connect(plain(url), autocommit=True) as connection:
        for table, key in PARTED.items():
            named = "runs" if key == "run_id" else table
            cut_first(connection, table, [row_id(named, rows * part // PARTS) for part in range(1, PARTS)])


@pytest.fixture(scope="module")
def full_url(postgres_template: str, rows: int) -> Iterator[str]:
    """A database of this module's own with many rows in every table."""
    name = f"support_full_{uuid4().hex[:12]}"
    clone = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    _administer(clone.format(sql.Identifier(name), sql.Identifier(postgres_template)))
    try:
        spread(_url(name), rows)
        fill(_url(name), rows)
        yield _url(name)
    finally:
        _administer(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def ordinary() -> Iterator[str]:
    """A role that goes past no fence: PostgreSQL plans with the fence's condition beside the query's own."""
    role = f"support_plans_{uuid4().hex[:12]}"
    making = sql.SQL("CREATE ROLE {} IN ROLE pg_read_all_data, pg_write_all_data")
    _administer(making.format(sql.Identifier(role)))
    yield role
    _administer(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


@pytest.fixture
async def full(full_url: str) -> AsyncIterator[Database]:
    opened = Database.open(full_url)
    yield opened
    await opened.close()


def is_public_coroutine(name: str, value: object) -> bool:
    return not name.startswith("_") and inspect.iscoroutinefunction(value)


def repositories() -> Iterator[tuple[str, type, str]]:
    """Attribute of the unit of work, its class, and each of its public coroutines."""
    for attribute, repository in inspect.getmembers(UnitOfWork(None)):  # type: ignore[arg-type] # nothing is executed
        if type(repository).__module__.startswith("db.repositories"):
            for name, value in inspect.getmembers(type(repository)):
                if is_public_coroutine(name, value):
                    yield attribute, type(repository), name


def calls() -> Iterator[tuple[str, Call]]:
    """Everything that asks the database, with made-up arguments that name rows that are there."""
    for attribute, kind, name in repositories():
        given = arguments(getattr(kind, name), ready=READY)
        yield f"{attribute}.{name}", _bound(attribute, name, given)
    for module in READ_MODELS:
        for name, function in inspect.getmembers(module):
            if is_public_coroutine(name, function) and function.__module__ == module.__name__:
                yield f"{module.__name__.rpartition('.')[2]}.{name}", _reading(function)


def _bound(attribute: str, name: str, given: Mapping[str, object]) -> Call:
    async def call(uow: UnitOfWork) -> object:
        return await getattr(getattr(uow, attribute), name)(**given)

    return call


def _reading(function: Callable[..., Awaitable[object]]) -> Call:
    async def call(uow: UnitOfWork) -> object:
        return await function(**arguments(function, ready={**READY, "uow": uow}))

    return call


async def _answered_requests(uow: UnitOfWork) -> object:
    return await queue(uow, DEFAULT_WORKSPACE, status=RequestStatus.APPROVED)


CALLS = {**dict(calls()), "queue.queue of approved ones": _answered_requests}


class Undone(Exception):  # noqa: N818 - ends a unit of work that must leave nothing behind
    """Nothing is kept of what was asked."""


@contextmanager
def noted() -> Iterator[list[Statement]]:
    """Note what is executed, once per text."""
    found: dict[str, Any] = {}

    def note(*told: Any) -> None:
        _, _, statement, parameters, *_ = told
        if statement.lstrip().startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")):
            found.setdefault(statement, parameters[0] if isinstance(parameters, list) else parameters)

    listed: list[Statement] = []
    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield listed
    finally:
        event.remove(Engine, "before_cursor_execute", note)
        listed.extend(found.items())


async def asked(database: Database, call: Call) -> list[Statement]:
    """The statements of one call; how it ends is not looked at, for its arguments are made up."""
    with noted() as statements, suppress(Exception):
        async with database.write("probe") as uow:
            await call(uow)
            raise Undone
    return statements


def plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def plan(connection: psycopg.Connection[Any], statement: str, parameters: Any) -> dict[str, Any]:
    with connection.transaction(force_rollback=True):
        (((found,),),) = connection.execute(f"EXPLAIN (FORMAT JSON) {statement}".encode(), parameters).fetchall()
    top: dict[str, Any] = found["Plan"]
    return top


def read_whole(node: Mapping[str, Any], rows: int, *, most: float) -> Iterator[str]:
    """What reads more of a table than `most` rows: a scan from end to end, or a scan whose rows nothing limits."""
    kind, expected = node["Node Type"], node["Plan Rows"]
    if kind == "Limit":
        most = inf  # the rows below are only asked for one by one
    elif kind in {"Sort", "Aggregate", "Hash", "WindowAgg", "Bitmap Heap Scan", "Materialize"}:
        most = min(most, rows * SHARE)
    relation = node.get("Relation Name", "")
    table = whole_of(relation)
    if relation not in EMPTY and table not in {"", "workspaces", *FEW} and (kind == "Seq Scan" or expected > most):
        yield f"{kind} of {table}: {expected} rows, {node.get('Filter') or node.get('Index Cond') or 'no condition'}"
    for child in node.get("Plans", ()):
        yield from read_whole(child, rows, most=most)


async def test_no_query_reads_a_whole_table(full: Database, full_url: str, rows: int, ordinary: str) -> None:
    silent, wrong = [], {}
    with psycopg.connect(plain(full_url)) as connection:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(ordinary)))
        connection.execute(of(DEFAULT_WORKSPACE).statement.encode())
        for name, call in CALLS.items():
            statements = await asked(full, call)
            if not statements:
                silent.append(name)
            for statement, given in statements:
                lines = list(read_whole(plan(connection, statement, given), rows, most=rows * SHARE))
                if lines and name not in WHOLE:
                    wrong[name, statement] = lines
    assert not wrong, "\n\n".join(f"{name}: {statement}\n    {lines}" for (name, statement), lines in wrong.items())
    assert set(silent) == SILENT  # otherwise made-up arguments would not have reached the database


def test_rows_lie_in_several_parts(full_url: str) -> None:
    with psycopg.connect(plain(full_url)) as connection:
        for table in PARTED:
            lying = sql.SQL("SELECT tableoid::regclass::text, count(*) FROM {} GROUP BY 1").format(
                sql.Identifier(table)
            )
            held: dict[str, int] = dict(connection.execute(lying).fetchall())
            assert len(held) == PARTS
            assert not held.keys() & EMPTY


async def test_what_reads_a_whole_table_is_found(full: Database, full_url: str, rows: int) -> None:
    async def by_name(uow: UnitOfWork) -> None:
        await uow.session.execute(text("SELECT id FROM tickets WHERE requester_name = 'a'"))

    async def sorted_whole(uow: UnitOfWork) -> None:
        await uow.session.execute(
            text(
                "SELECT id FROM approval_requests WHERE status = 'approved' AND workspace_id = :w ORDER BY ref LIMIT 5"
            ),
            {"w": DEFAULT_WORKSPACE},
        )

    async def of_a_part(uow: UnitOfWork) -> None:
        await uow.session.execute(text("SELECT id FROM messages WHERE external_id = 'a'"))

    with psycopg.connect(plain(full_url)) as connection:
        for call in (by_name, sorted_whole, of_a_part):
            ((statement, given),) = await asked(full, call)
            assert list(read_whole(plan(connection, statement, given), rows, most=rows * SHARE))
