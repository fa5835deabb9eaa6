"""The second lock: PostgreSQL shows and takes no row of another workspace, table by table, on real connections."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import select
from sqlalchemy.engine import make_url

from db import fences
from db.base import table_of
from db.engine import Database
from db.models.tickets import TicketRow
from db.repositories.subjects import IdentifierHash
from db.row_security import POLICY
from db.schema import METADATA
from db.ticket_store import TicketStore
from support_agents.domain.ids import DEFAULT_WORKSPACE, WorkspaceId, new_id
from tests.fixtures import inbound
from tests.fixtures.database import _administer
from tests.fixtures.many_rows import fill
from tests.fixtures.parts import whole_of
from tests.integration.db.test_workspace_conditions import ROWS, fenced_tables

FENCED = tuple(sorted(table.name for table in fenced_tables()))
OTHER = WorkspaceId(new_id())
FOREIGN_ROW = (psycopg.errors.InsufficientPrivilege, psycopg.errors.IntegrityError)


def plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


@pytest.fixture
def ordinary_url(postgres_url: str) -> Iterator[str]:
    """The same database for a role that goes past nothing: neither superuser nor owner, with every right on rows."""
    role, password = f"support_test_{uuid4().hex[:12]}", uuid4().hex
    named = sql.Identifier(role)
    _administer(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(named, sql.Literal(password)))
    with psycopg.connect(plain(postgres_url)) as connection:
        connection.execute(sql.SQL("GRANT ALL ON ALL TABLES IN SCHEMA public TO {}").format(named))
    try:
        yield make_url(postgres_url).set(username=role, password=password).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(plain(postgres_url)) as connection:
            connection.execute(sql.SQL("DROP OWNED BY {}").format(named))
        _administer(sql.SQL("DROP ROLE {}").format(named))


@contextmanager
def looking(url: str, statement: str = "") -> Iterator[psycopg.Connection[Any]]:
    """A transaction behind a fence, of which nothing stays."""
    with psycopg.connect(plain(url)) as connection, connection.transaction(force_rollback=True):
        if statement:
            connection.execute(statement.encode())
        yield connection


def count(connection: psycopg.Connection[Any], table: str) -> int:
    ((found,),) = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchall()  # noqa: S608 - our own names
    return int(found)


def refused(connection: psycopg.Connection[Any], statement: str, *given: object) -> bool:
    """Whether a statement does nothing: it is refused, or finds no row."""
    try:
        with connection.transaction():
            return connection.execute(statement.encode(), given).rowcount == 0
    except FOREIGN_ROW:
        return True


def test_every_table_with_a_workspace_is_fenced_for_its_owner_too(postgres_url: str) -> None:
    with looking(postgres_url) as connection:
        found = connection.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid"
            " WHERE c.relrowsecurity AND c.relforcerowsecurity AND p.polname = %s AND p.polcmd = '*'",
            (POLICY,),
        ).fetchall()
    assert {whole_of(name) for (name,) in found} == set(FENCED)
    assert set(METADATA.tables) - set(FENCED) == {"workspaces"}


def test_no_row_of_another_workspace_is_seen_changed_taken_away_or_added(postgres_url: str, ordinary_url: str) -> None:
    fill(postgres_url, ROWS)
    with looking(postgres_url) as connection:
        rows = {
            table: connection.execute(f"SELECT to_jsonb(t) FROM {table} t LIMIT 1".encode()).fetchone()  # noqa: S608
            for table in FENCED
        }
    assert all(rows.values()), "every table has rows that could be seen"
    behind_another = fences.of(OTHER).statement
    wrong: list[str] = []
    with looking(ordinary_url, behind_another) as connection:
        for table, row in rows.items():
            assert row is not None
            tries = {
                "select": count(connection, table) == 0,
                "update": refused(connection, f"UPDATE {table} SET workspace_id = %s", OTHER),  # noqa: S608
                "delete": refused(connection, f"DELETE FROM {table}"),  # noqa: S608
                "insert": refused(
                    connection,
                    f"INSERT INTO {table} SELECT * FROM jsonb_populate_record(NULL::{table}, %s)",  # noqa: S608
                    psycopg.types.json.Jsonb(row[0]),
                ),
            }
            wrong += [f"{verb} {table}" for verb, held in tries.items() if not held]
    assert not wrong
    with looking(ordinary_url, fences.of(DEFAULT_WORKSPACE).statement) as connection:
        assert all(count(connection, table) for table in FENCED), "behind its own fence everything is there"


def test_a_row_cannot_be_moved_into_another_workspace(postgres_url: str, ordinary_url: str) -> None:
    fill(postgres_url, ROWS)
    with looking(ordinary_url, fences.of(DEFAULT_WORKSPACE).statement) as connection:
        moved = {
            table: not refused(connection, f"UPDATE {table} SET workspace_id = %s", OTHER)  # noqa: S608
            for table in FENCED
        }
    assert not any(moved.values())


@pytest.mark.parametrize("before", ["", "SET LOCAL app.workspace = ''", "SET LOCAL app.across = ''"])
def test_without_a_fence_nothing_is_seen(postgres_url: str, ordinary_url: str, before: str) -> None:
    fill(postgres_url, ROWS)
    with looking(ordinary_url, before) as connection:
        assert not any(count(connection, table) for table in FENCED)


def test_a_fence_ends_with_its_transaction(ordinary_url: str) -> None:
    with psycopg.connect(plain(ordinary_url), autocommit=True) as connection:
        for fence in (fences.of(OTHER), fences.DISPATCH):
            with connection.transaction():
                connection.execute(fence.statement.encode())
            ((workspace, across),) = connection.execute(
                "SELECT current_setting('app.workspace', true), current_setting('app.across', true)"
            ).fetchall()
            assert not workspace
            assert not across


async def test_units_of_work_stand_behind_the_tasks_fence(
    ordinary_url: str, open_database: Callable[..., Database]
) -> None:
    database = open_database(ordinary_url)
    await TicketStore(database, IdentifierHash(b"key")).receive(inbound.event(), b"{}")
    tickets = select(table_of(TicketRow).c.id)

    async def seen(fence: fences.Fence | None = None) -> int:
        async with database.read(fence) as uow:
            return len((await uow.session.execute(tickets)).all())

    assert await seen() == 1
    assert await seen(fences.of(OTHER)) == 0
    assert await seen(fences.of(OTHER, DEFAULT_WORKSPACE)) == 1
    assert await seen(fences.UPKEEP) == 1
    with fences.behind(fences.of(OTHER)):
        assert await seen() == 0
        assert await seen(fences.DISPATCH) == 1
        async with database.write("probe") as uow:
            assert not (await uow.session.execute(tickets)).all()
    assert await seen() == 1
