"""Runs that write whole what another run's deadline cut, and the event that calls for them."""

import sqlalchemy as sa
from alembic import op

from db.base import Uuid
from migrations.columns import where

revision = "0018"
down_revision = "0017"

NAMES = "'ticket_received', 'execution_due', 'inside_step_due', 'request_changed', 'knowledge_changed'"
MORE_NAMES = NAMES + ", 'fuller_draft_due'"


def upgrade() -> None:
    """Add the column with its index, and widen the check of events."""
    op.add_column("runs", sa.Column("parent_run_id", Uuid(), nullable=True))
    op.create_index(
        "uq_runs_parent", "runs", ["parent_run_id", "workspace_id"], unique=True, **where("parent_run_id IS NOT NULL")
    )
    if op.get_bind().dialect.name == "sqlite":
        _widen_sqlite()
        return
    op.drop_constraint(op.f("ck_outbox_name"), "outbox", type_="check")
    op.create_check_constraint("name", "outbox", f"name IN ({MORE_NAMES})")


def _widen_sqlite() -> None:
    """As in 0010: SQLite changes no CHECK, and its documented way is to edit the stored schema."""
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    changed = connection.exec_driver_sql(
        "UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = 'outbox'"
        " AND instr(sql, ?) > 0",
        (f"name IN ({NAMES})", f"name IN ({MORE_NAMES})", f"name IN ({NAMES})"),
    )
    if changed.rowcount != 1:
        raise RuntimeError("the check of outbox is not as it was made")
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")
