"""Columns and options that tables share, as the first migrations made them; it never changes."""

from typing import Any

import sqlalchemy as sa

from db.base import UtcDateTime, Uuid, database_now


def keys() -> tuple[Any, ...]:
    """Columns of every table: its own id and the workspace it belongs to."""
    return (
        sa.Column("id", Uuid(), nullable=False),
        sa.Column("workspace_id", Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"]),
    )


def row() -> tuple[Any, ...]:
    """As `keys`, with the time of making."""
    return (*keys(), created())


def created() -> sa.Column[Any]:
    """When the row was made, by the database's clock."""
    return sa.Column("created_at", UtcDateTime(), nullable=False, server_default=database_now())


def one_of(column: str, *values: str) -> sa.CheckConstraint:
    """Limit a column to these values."""
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


def where(condition: str) -> dict[str, Any]:
    """Make an index partial."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}
