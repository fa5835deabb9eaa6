"""A PostgreSQL database that a test has used is as new for the next one, or is not used again."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.fixtures.database import POSTGRES
from tests.fixtures.postgres_shelf import PostgresShelf

pytestmark = pytest.mark.postgres
URL = POSTGRES.replace("+psycopg", "")


@pytest.fixture
def shelf(postgres_template: str) -> Iterator[PostgresShelf]:
    made = PostgresShelf(URL, postgres_template)
    yield made
    made.clear()


def connected(name: str) -> psycopg.Connection:
    return psycopg.connect(f"{URL.rsplit('/', 1)[0]}/{name}", autocommit=True)


def content(name: str) -> dict[str, object]:
    with connected(name) as connection:
        tables = [table for (table,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname='public'")]
        return {table: connection.execute(f'SELECT * FROM "{table}"').fetchall() for table in sorted(tables)}  # noqa: S608


def spoil(name: str, statement: str) -> None:
    with connected(name) as connection:
        connection.execute(statement.encode())


def test_rows_of_one_test_are_gone_for_the_next_and_the_templates_are_there(
    shelf: PostgresShelf, postgres_template: str
) -> None:
    new = content(postgres_template)
    assert any(new.values())
    with shelf.one() as first:
        left_open = connected(first)
        left_open.execute("SET session_replication_role = replica")
        for table in new:
            left_open.execute(f'DELETE FROM "{table}"'.encode())  # noqa: S608 - names of our own tables
        assert not any(content(first).values())
    with shelf.one() as second:
        assert second == first
        assert content(second) == new
    with pytest.raises(psycopg.OperationalError):
        left_open.execute("SELECT 1")
    left_open.close()


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TRIGGER keep_audit_update ON audit",
        "ALTER TABLE audit DISABLE TRIGGER ALL",
        "ALTER TABLE tickets ALTER COLUMN subject SET DEFAULT 'x'",
        "ALTER TABLE tickets ADD COLUMN x int",
        "CREATE TABLE x (y int)",
        "CREATE SCHEMA x",
        "CREATE INDEX x ON tickets (subject)",
        "ANALYZE",
    ],
)
def test_a_changed_catalogue_is_not_used_again(shelf: PostgresShelf, statement: str) -> None:
    with shelf.one() as first:
        spoil(first, statement)
    with shelf.one() as second:
        assert second != first


def test_two_at_once_are_two(shelf: PostgresShelf) -> None:
    with shelf.one() as first, shelf.one() as second:
        assert first != second
