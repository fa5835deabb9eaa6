"""What providers tell of refunds afterwards, three more kinds of action, and letters counted by when they left."""

import sqlalchemy as sa
from alembic import op

from db.base import OutsideText, PersonalBytes, UtcDateTime, Uuid
from migrations.columns import one_of, row, where

revision = "0010"
down_revision = "0009"

KINDS = "'send_reply', 'issue_refund'"
MORE_KINDS = KINDS + ", 'cancel_order', 'replace_order', 'delete_record'"
WITH_KINDS = ("approval_requests", "executions")


def upgrade() -> None:
    """Make the table, widen the checks, add what is looked up."""
    op.create_table(
        "provider_events",
        *row(),
        sa.Column("provider", sa.String(20), nullable=False),
        sa.Column("event_id", OutsideText(), nullable=False),
        sa.Column("kind", OutsideText(), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("reference", OutsideText(), nullable=False),
        sa.Column("payment_ref", OutsideText(), nullable=False),
        sa.Column("action_id", Uuid()),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("raw", PersonalBytes()),
        one_of("outcome", "noted", "pending", "succeeded", "failed", "reversed"),
        sa.UniqueConstraint("workspace_id", "provider", "event_id"),
    )
    op.create_index("ix_provider_events_reference", "provider_events", ["workspace_id", "reference", "outcome"])
    op.add_column("refund_entries", sa.Column("payment_ref", OutsideText(), nullable=False, server_default=""))
    op.create_index("ix_refund_entries_payment_ref", "refund_entries", ["workspace_id", "payment_ref"])
    op.create_index("ix_attempts_marked_at", "attempts", ["marked_at"], **where("marked_at IS NOT NULL"))
    if op.get_bind().dialect.name == "sqlite":
        _widen_sqlite()
        return
    for table in WITH_KINDS:
        op.drop_constraint(op.f(f"ck_{table}_kind"), table, type_="check")
        op.create_check_constraint("kind", table, f"kind IN ({MORE_KINDS})")


def _widen_sqlite() -> None:
    """SQLite changes no CHECK: it documents editing the stored schema, which here keeps triggers and references."""
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    for table in WITH_KINDS:
        changed = connection.exec_driver_sql(
            "UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = ? AND instr(sql, ?) > 0",
            (f"kind IN ({KINDS})", f"kind IN ({MORE_KINDS})", table, f"kind IN ({KINDS})"),
        )
        if changed.rowcount != 1:
            raise RuntimeError(f"the check of {table} is not as it was made")
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")
