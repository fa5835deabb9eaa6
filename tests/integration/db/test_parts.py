"""Parts by month on PostgreSQL: rows find theirs, and nothing gets past the table."""

from datetime import timedelta

import psycopg
import pytest

from db.audit_sealer import AuditSealer
from db.engine import Database
from db.part_store import PartStore
from db.parts import FIRST, PARTED, REST
from db.upgrade import run
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, new_id
from tests.fixtures.many_rows import fill
from tests.fixtures.parts import NOW, ask, begun, cut_months, entry, key_of, parts_of, plain

KEPT = ("run_sections", "audit")


def test_coming_months_have_their_parts(postgres_url: str) -> None:
    for table in PARTED:
        assert parts_of(postgres_url, table) == {f"{table}_{FIRST}", f"{table}_{REST}"}
    assert entry(postgres_url, NOW + timedelta(days=60)) == f"audit_{FIRST}"
    assert entry(postgres_url, NOW + timedelta(days=5 * 365)) == f"audit_{REST}"


async def test_months_are_made_when_they_come_and_take_what_lay_in_the_rest(postgres_url: str) -> None:
    database = Database.open(postgres_url)
    store = PartStore(database)
    try:
        assert await store.make() == 0
        later = NOW + timedelta(days=150)
        assert entry(postgres_url, later) == f"audit_{REST}"
        assert await store.strays() == (f"audit_{REST}",)
        run(postgres_url, [until(months=8)])
        assert await store.make() == 5 * len(PARTED)
        assert await store.make() == 0
        assert await store.strays() == ()
        month = f"audit_{later:%Y_%m}"
        assert ask(postgres_url, "SELECT DISTINCT tableoid::regclass::text FROM audit") == [(month,)]
        assert entry(postgres_url, later) == month
        named = [part.name for part in await store.parts() if part.parted == "audit"]
        assert (named[0], named[-1], len(named)) == (f"audit_{FIRST}", f"audit_{REST}", 7)
    finally:
        await database.close()


async def test_sqlite_says_that_it_has_no_parts(sqlite_url: str) -> None:
    database = Database.open(sqlite_url)
    try:
        assert await PartStore(database).make() == 0
        assert await PartStore(database).strays() == ()
        with pytest.raises(SupportError, match="SQLite keeps each table whole"):
            await PartStore(database).parts()
    finally:
        await database.close()


def until(months: int) -> str:
    """What has parts made for more months than is usual."""
    return (
        "CREATE OR REPLACE FUNCTION parts_end() RETURNS timestamp LANGUAGE sql AS"
        f" $$ SELECT date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC') + interval '{months} months' $$"
    )


def made_later(url: str) -> None:
    run(url, [until(months=4), "SELECT make_parts()"])


@pytest.mark.parametrize(
    "verb", ["SELECT count(*) FROM {}", "DELETE FROM {}", "TRUNCATE {}", "INSERT INTO {} DEFAULT VALUES"]
)
def test_no_role_reaches_a_part_by_its_own_name(postgres_url: str, role: str, verb: str) -> None:
    made_later(postgres_url)
    fill(postgres_url, 20)
    for table in PARTED:
        parts = parts_of(postgres_url, table)
        assert len(parts) == 3
        for part in parts:
            with psycopg.connect(plain(postgres_url)) as connection:
                connection.execute(f"SET ROLE {role}".encode())
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(verb.format(part).encode())


def test_behind_the_fence_of_nobody_a_part_shows_nothing_even_to_who_has_rights(postgres_url: str, role: str) -> None:
    made_later(postgres_url)
    fill(postgres_url, 20)
    for table in PARTED:
        for part in parts_of(postgres_url, table):
            with psycopg.connect(plain(postgres_url)) as connection:
                connection.execute(f"GRANT SELECT ON {part} TO {role}".encode())
                connection.execute(f"SET ROLE {role}".encode())
                assert connection.execute(f"SELECT count(*) FROM {part}".encode()).fetchall() == [(0,)]  # noqa: S608
                connection.execute("SET LOCAL app.across = 'upkeep'")
                held = connection.execute(f"SELECT count(*) FROM {part}".encode()).fetchall()  # noqa: S608
                assert held == [(20 if part.endswith(FIRST) else 0,)]


@pytest.mark.parametrize("table", KEPT)
@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET workspace_id = workspace_id, {}", "DELETE FROM {}", "TRUNCATE {}"]
)
def test_rows_of_a_part_are_kept_as_written_from_its_owner_too(postgres_url: str, table: str, statement: str) -> None:
    made_later(postgres_url)
    fill(postgres_url, 20)
    change = "actor = 'x'" if table == "audit" else "content = 'x'"
    for part in parts_of(postgres_url, table):
        empty = not part.endswith(FIRST)
        if empty and not statement.startswith("TRUNCATE"):
            continue  # no row to be kept
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="insert-only"):
            ask(postgres_url, statement.format(part, change))


@pytest.mark.parametrize(
    ("table", "column"), [("messages", "ticket_id"), ("run_sections", "run_id"), ("audit", "workspace_id")]
)
def test_references_hold_in_every_part(postgres_url: str, table: str, column: str) -> None:
    made_later(postgres_url)
    for part in parts_of(postgres_url, table):
        keys = ask(
            postgres_url,
            "SELECT 1 FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)"
            " WHERE k.conrelid = %s::regclass AND k.contype = 'f' AND k.convalidated AND a.attname = %s",
            part, column,
        )  # fmt: skip
        assert len(keys) == 1, part


async def test_i7_a_number_of_the_audit_is_given_once_over_all_parts(postgres_url: str, sealer: AuditSealer) -> None:
    await begun(sealer)
    cut_months(postgres_url)
    old, new = entry(postgres_url, NOW - timedelta(days=50)), entry(postgres_url, NOW)
    assert old != new
    await sealer.seal(DEFAULT_WORKSPACE)
    entry(postgres_url, NOW)
    with pytest.raises(psycopg.errors.UniqueViolation, match="given once"):
        ask(
            postgres_url,
            "UPDATE audit SET sealed_seq = 1, salt = 's', commitment = 'c', seal = 's' WHERE sealed_seq IS NULL",
        )
    with pytest.raises(psycopg.errors.CheckViolation, match="without a number"):
        ask(
            postgres_url,
            "INSERT INTO audit (id, workspace_id, event, subject, actor, data, sealed_seq)"
            " VALUES (%s, %s, 'x', %s, 'x', '{}', 2)",
            key_of(NOW - timedelta(days=50)), DEFAULT_WORKSPACE, new_id(),
        )  # fmt: skip
