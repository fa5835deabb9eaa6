"""What stood in the database before a migration stands there after it, from the first schemas to the newest."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from alembic import command
from psycopg import sql
from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Date,
    Engine,
    Float,
    Integer,
    LargeBinary,
    Table,
    create_engine,
    event,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool
from sqlalchemy.types import JSON

from db.base import PersonalBytes, UtcDateTime, Uuid
from db.parts import FIRST, REST
from db.schema import METADATA
from db.upgrade import BUSY, Limits, _config, missing, upgrade
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE
from tests.fixtures.database import POSTGRES, _administer, _url
from tests.fixtures.many_rows import _owner, row_id
from tests.fixtures.parts import NOW, ask, key_of, parts_of, whole_of

ROWS = 3
MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)
# With people alone; and with everything that the first pipeline had, before the guards that refuse made-up rows.
STARTS = ("0001", "0005")
SAID: Mapping[str, Any] = {
    "decisions.verdict": "approve",
    "executions.verdict": "approve",
    "approval_requests.kind": "send_reply",
    "executions.kind": "send_reply",
    "approval_requests.managers_needed": 0,
    "order_balances.paid_minor": 100,
    "run_sections.section": "plan",
    "run_sections.writer": "pipeline",
}


def value(table: Table, column: Column[Any], number: int) -> Any:  # noqa: PLR0911 - one line a kind
    """Something that this column may hold, different in each row where it is text."""
    if (said := SAID.get(f"{table.name}.{column.name}")) is not None:
        return said
    referred = [key.column.table.name for key in column.foreign_keys if key.column.name == "id"]
    if column.name == "workspace_id":
        return DEFAULT_WORKSPACE
    if column.name.startswith(("supersedes", "after_action", "delegate", "amount", "currency")) and column.nullable:
        return None
    kind = column.type
    if isinstance(kind, Uuid):
        return row_id(
            table.name if column.primary_key and not referred else (referred or [_owner(column.name)])[0], number
        )
    plain: dict[type, Any] = {
        UtcDateTime: MOMENT.replace(second=number),
        Boolean: True,
        Date: date(2026, 1, number),
        Integer: number,
        Float: number / 8,
        LargeBinary: bytes([0, 255, number]),
        PersonalBytes: bytes([0, 255, number]),
        JSON: {"kept": number},
    }
    for each, made in plain.items():
        if isinstance(kind, each):
            return made
    for check in table.constraints:
        listed = re.search(rf"\b{column.name} IN \('([^']*)'", str(getattr(check, "sqltext", "")))
        if isinstance(check, CheckConstraint) and listed:
            return listed.group(1)
    return (
        f"{number:064x}"
        if column.name == "digest"
        else f"{column.name[:3]} ünï 🙂 {number}"[: getattr(kind, "length", 99) or 99]
    )


def put(connection: Connection) -> None:
    """Rows into every table there is, in as many columns as it has by now."""
    there = inspect(connection)
    names = set(there.get_table_names())
    for table in METADATA.sorted_tables:
        if table.name in names and table.name != "workspaces":
            columns = {column["name"] for column in there.get_columns(table.name)}
            assert columns <= set(table.columns.keys()), table.name
            rows = [{name: value(table, table.c[name], number) for name in columns} for number in range(1, ROWS + 1)]
            connection.execute(insert(table), rows)


def content(connection: Connection, columns: Mapping[str, list[str]]) -> dict[str, list[tuple[Any, ...]]]:
    """All rows, as the driver gives them, in these columns."""
    return {
        name: sorted(
            map(tuple, connection.execute(select(*(text(each) for each in chosen)).select_from(text(name)))), key=repr
        )
        for name, chosen in columns.items()
    }


def columns_of(connection: Connection) -> dict[str, list[str]]:
    there = inspect(connection)
    names = (name for name in there.get_table_names() if name != "alembic_version")
    return {name: sorted(f'"{column["name"]}"' for column in there.get_columns(name)) for name in names}


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def old_url(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[str]:
    """A database without a schema."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'old.db'}"
        return
    if not POSTGRES:
        pytest.skip("needs SUPPORT_TEST_POSTGRES_URL")
    name = f"support_old_{uuid4().hex[:12]}"
    _administer(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield _url(name)
    _administer(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def blocking(url: str) -> Engine:
    engine = create_engine(make_url(url.replace("+aiosqlite", "")), poolclass=NullPool)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys = ON"))
    return engine


@pytest.mark.parametrize("start", STARTS)
def test_what_was_there_is_there_afterwards(old_url: str, start: str) -> None:
    command.upgrade(_config(old_url), start)
    engine = blocking(old_url)
    with engine.begin() as old:
        put(old)
        columns = columns_of(old)
        before = content(old, columns)
    assert all(len(rows) == ROWS for name, rows in before.items() if name != "workspaces")

    assert missing(old_url)[0].revision == f"{int(start) + 1:04}"
    upgrade(old_url)

    assert missing(old_url) == ()
    with engine.begin() as new:
        assert content(new, columns) == before
        if engine.dialect.name == "sqlite":
            assert new.execute(text("PRAGMA foreign_key_check")).all() == []


@pytest.mark.postgres
def test_a_migration_gives_up_on_a_table_that_is_held_and_changes_nothing() -> None:
    if not POSTGRES:
        pytest.skip("needs SUPPORT_TEST_POSTGRES_URL")
    name = f"support_held_{uuid4().hex[:12]}"
    _administer(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = _url(name)
    try:
        command.upgrade(_config(url), "0011")
        with psycopg.connect(url.replace("+psycopg", "")) as holder:
            holder.execute("LOCK TABLE runs IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(SupportError, match=BUSY) as caught:
                upgrade(url, Limits(lock_seconds=0.2))
            assert (caught.value.code, caught.value.retryable) == ("schema_busy", True)
        assert missing(url)[0].revision == "0012"
        upgrade(url, Limits(lock_seconds=0.2))
        assert missing(url) == ()
    finally:
        _administer(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.mark.postgres
def test_rows_beyond_the_first_part_are_not_lost_by_the_migration() -> None:
    if not POSTGRES:
        pytest.skip("needs SUPPORT_TEST_POSTGRES_URL")
    name = f"support_late_{uuid4().hex[:12]}"
    _administer(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        url = _url(name)
        command.upgrade(_config(url), "0015")
        with create_engine(url, poolclass=NullPool).begin() as connection:
            for days in (0, 5 * 365):
                connection.execute(
                    text(
                        "INSERT INTO audit (id, workspace_id, at, event, subject, actor, data)"
                        " VALUES (:id, :workspace, now(), 'x', :id, 'x', '{}')"
                    ),
                    {"id": key_of(NOW + timedelta(days=days)), "workspace": DEFAULT_WORKSPACE},
                )
        upgrade(url)
        assert ask(url, "SELECT tableoid::regclass::text, count(*) FROM audit GROUP BY 1 ORDER BY 1") == [
            (f"audit_{FIRST}", 1),
            (f"audit_{REST}", 1),
        ]
        assert {whole_of(part) for part in parts_of(url, "audit")} == {"audit"}
    finally:
        _administer(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
