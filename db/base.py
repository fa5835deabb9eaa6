"""The vocabulary of the schema – base class, column types, mixins, the database's clock; it opens nothing."""

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    DateTime,
    ForeignKey,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    Uuid,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert  # its ON CONFLICT compiles for SQLite too; not vice versa
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import JSON, TypeDecorator, TypeEngine

from db.made import made
from support_agents.domain.ids import WorkspaceId, new_id

__all__ = [
    "NOW",
    "Base",
    "Created",
    "Identified",
    "InWorkspace",
    "Json",
    "OutsideText",
    "PersonalBytes",
    "PersonalText",
    "UtcDateTime",
    "Uuid",
    "constant",
    "database_now",
    "one_of",
    "storable",
    "table_of",
    "upsert",
]

NAMING = {
    "pk": "pk_%(table_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}

Json = JSON().with_variant(JSONB(), "postgresql")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant in UTC to the microsecond; on SQLite fixed-width ISO text, which sorts as it should."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text of 27 characters on SQLite, `timestamptz` elsewhere."""
        return dialect.type_descriptor(String(27) if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ANN401 - text or datetime
        """Refuse naive times; convert the rest to UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive time {value}")
        value = value.astimezone(UTC)
        if dialect.name != "sqlite":
            return value
        return f"{value.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ANN401 - text or datetime
        """Return an aware datetime in UTC."""
        if value is None:
            return None
        return datetime.fromisoformat(value) if dialect.name == "sqlite" else value.astimezone(UTC)


def storable(text: str) -> str:
    """Replace what a text column cannot hold: NUL and lone surrogates, both legal in JSON."""
    return text if text.isascii() and "\0" not in text else _replaced(text)


def _replaced(text: str) -> str:
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


class OutsideText(TypeDecorator[str]):
    """A short text from outside that is not personal, such as another system's id; anything decodable is storable."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - interface
        """Make it storable, always in the same way, so that keys still compare."""
        return None if value is None else storable(value)


class PersonalText(TypeDecorator[str]):
    """Text that may tell of a person; every such column has this type, so that sealing has one place."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - interface
        """Make it storable."""
        return None if value is None else storable(value)


class PersonalBytes(TypeDecorator[bytes]):
    """Bytes that may tell of a person: raw payloads and canonical bytes; stored and read back unchanged."""

    impl = LargeBinary
    cache_ok = True


class database_now(FunctionElement[datetime]):  # noqa: N801 - reads as the SQL function it is
    """The database's clock at the moment of evaluation (not of the transaction's start)."""

    type = UtcDateTime()
    inherit_cache = True


NOW = made(select(database_now()))


@compiles(database_now, "sqlite")
def _sqlite_now(_element: "database_now", _compiler: SQLCompiler, **_: object) -> str:
    return "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')"


@compiles(database_now)
def _postgresql_now(_element: "database_now", _compiler: SQLCompiler, **_: object) -> str:
    return "clock_timestamp()"


class Base(DeclarativeBase):
    """Base of every table; a Python type in an annotation decides the column type."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: UtcDateTime(), UUID: Uuid(), str: String()}  # noqa: RUF012 - SQLAlchemy's hook


class Identified:
    """A UUIDv7 primary key, made by us."""

    id: Mapped[UUID] = mapped_column(Uuid(), primary_key=True, default=new_id, sort_order=-30)


class InWorkspace:
    """Every row belongs to a workspace."""

    workspace_id: Mapped[WorkspaceId] = mapped_column(
        Uuid(), ForeignKey("workspaces.id"), nullable=False, sort_order=-20
    )


class Created:
    """When the row was made, by the database's clock."""

    created_at: Mapped[datetime] = mapped_column(
        UtcDateTime(), nullable=False, server_default=database_now(), sort_order=-10
    )


def constant(value: StrEnum | str) -> ColumnElement[str]:
    """A word of ours that is written into a statement and not bound to it.

    Where a bound value could decide whether a partial index fits, SQLite takes the statement apart anew at every
    execution (a quarter of a millisecond), and a plan that PostgreSQL keeps cannot use the index.
    """
    if not value.replace("_", "").isalpha():
        raise ValueError(f"only a plain word can be written into a statement, not {value!r}")
    return literal_column(f"'{value}'", String())


def one_of(column: str, values: type[StrEnum] | Iterable[str]) -> CheckConstraint:
    """A CHECK that limits `column` to an enum's values; its name is `ck_<table>_<column>`."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def table_of(row: type[Base]) -> Table:
    """The table of a mapped class, for statements that bypass the unit of work: rows are never loaded as objects."""
    return cast("Table", row.__table__)
