"""What must hold for every table: workspaces, personal text, and that models and migrations agree."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, UniqueConstraint, create_engine, inspect
from sqlalchemy.engine import Engine
from sqlalchemy.pool import NullPool

from db.base import PersonalBytes, PersonalText, UtcDateTime
from db.parts import ONE_PART_ONLY
from db.schema import METADATA
from db.upgrade import is_current, upgrade
from tests.fixtures.parts import whole_of

TABLES = {table.name: table for table in METADATA.sorted_tables}
# Text that the columns of these tables may hold: ids, codes and hashes of ours.
IMPERSONAL = {"outbox", "audit"}
# Columns named like this tell of a person wherever they stand.
TELLING = {
    "email",
    "name",
    "text",
    "html",
    "content",
    "canonical",
    "raw",
    "body",
    "subject",
    "reason",
    "requester_email",
}
NOT_TELLING = {"workspaces.name", "passages.text", "outbox.name", "outbox.subject", "audit.subject"}


def blocking(url: str) -> Engine:
    return create_engine(url.replace("+aiosqlite", ""), poolclass=NullPool)


@pytest.mark.parametrize("table", [name for name in TABLES if name != "workspaces"])
def test_every_row_belongs_to_a_workspace(table: str) -> None:
    column = TABLES[table].c.workspace_id
    assert not column.nullable
    assert [key.target_fullname for key in column.foreign_keys if key.target_fullname == "workspaces.id"]


@pytest.mark.parametrize("table", TABLES)
def test_every_unique_key_names_the_workspace_or_a_row_of_it(table: str) -> None:
    indexes = [index.columns for index in TABLES[table].indexes if index.unique]
    keys = [each.columns for each in TABLES[table].constraints if isinstance(each, UniqueConstraint)]
    for columns in (*indexes, *keys):
        names = {column.name for column in columns}
        assert names & {"workspace_id", "id"}, names


@pytest.mark.parametrize("table", TABLES)
def test_personal_text_has_its_type(table: str) -> None:
    for column in TABLES[table].columns:
        if column.name in TELLING and f"{table}.{column.name}" not in NOT_TELLING:
            assert isinstance(column.type, PersonalText | PersonalBytes), f"{table}.{column.name}"


@pytest.mark.parametrize("table", sorted(IMPERSONAL))
def test_outbox_and_audit_hold_no_personal_text(table: str) -> None:
    kinds = {type(column.type) for column in TABLES[table].columns}
    assert not kinds & {PersonalText, PersonalBytes}


def test_every_time_is_in_utc() -> None:
    for table in TABLES.values():
        for column in table.columns:
            if column.name == "at" or column.name.endswith("_at"):
                assert isinstance(column.type, UtcDateTime), f"{table.name}.{column.name}"


def test_migrations_make_what_the_models_say(database_url: str) -> None:
    with blocking(database_url).connect() as connection:
        options = {
            "compare_type": True,
            "include_name": lambda name, kind, _: kind != "table" or whole_of(name) == name,
        }
        context = MigrationContext.configure(connection, opts=options)
        found = compare_metadata(context, METADATA)
    if database_url.startswith("postgresql"):  # what no key over all parts can say is said by each part
        ((what, key),) = found
        assert (what, key.name) == ("add_constraint", ONE_PART_ONLY)
    else:
        assert found == []


def test_migrations_make_the_checks_the_models_say(database_url: str) -> None:
    with blocking(database_url).connect() as connection:
        found = inspect(connection)
        for name, table in TABLES.items():
            said = {str(each.name) for each in table.constraints if isinstance(each, CheckConstraint)}
            assert {check["name"] for check in found.get_check_constraints(name)} == said


def test_upgrading_again_changes_nothing(database_url: str) -> None:
    assert is_current(database_url)
    upgrade(database_url)
    assert is_current(database_url)


def test_a_database_never_migrated_is_not_current(tmp_path: Path) -> None:
    assert not is_current(f"sqlite+aiosqlite:///{tmp_path / 'new.db'}")


def test_migrations_are_found_where_the_package_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    upgrade(f"sqlite+aiosqlite:///{tmp_path / 'odd %20 name.db'}")
    assert is_current(f"sqlite+aiosqlite:///{tmp_path / 'odd %20 name.db'}")
