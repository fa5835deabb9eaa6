"""Limits on customers, orders and instruments, second factors, stops of dispatch, and seeded checks of attention."""

import sqlalchemy as sa
from alembic import op

from db.authority_guards import statements
from db.base import OutsideText, UtcDateTime, Uuid, database_now
from migrations.columns import keys, one_of, row

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make tables, columns and triggers."""
    for column in (
        sa.Column("authority_version", sa.String(16), nullable=False, server_default=""),
        sa.Column("authority_rule", sa.String(200), nullable=False, server_default=""),
        sa.Column("customer_tier", sa.String(100), nullable=False, server_default="standard"),
        sa.Column("undo_seconds", sa.Integer()),
        sa.Column("seeded_by", Uuid()),
    ):
        op.add_column("approval_requests", column)
    op.add_column("sessions", sa.Column("factor_proved_at", UtcDateTime()))
    _money()
    _factors()
    op.create_table(
        "dispatch_stops",
        *keys(),
        sa.Column("scope", sa.String(10), nullable=False),
        sa.Column("what", sa.String(50), nullable=False),
        sa.Column("stopped_at", UtcDateTime(), nullable=False, server_default=database_now()),
        sa.Column("stopped_by", sa.String(100), nullable=False),
        one_of("scope", "kind", "way"),
        sa.UniqueConstraint("workspace_id", "scope", "what"),
    )
    for statement in statements(op.get_bind().dialect.name):
        op.get_bind().exec_driver_sql(statement)


def _money() -> None:
    op.create_table(
        "money_subjects",
        *keys(),
        sa.Column("per", sa.String(20), nullable=False),
        sa.Column("holder", OutsideText(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        one_of("per", "customer", "order", "instrument"),
        sa.UniqueConstraint("workspace_id", "per", "holder", "currency"),
    )
    op.create_table(
        "money_claims",
        *keys(),
        sa.Column("subject_id", Uuid(), nullable=False),
        sa.Column("request_id", Uuid(), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("claimed_at", UtcDateTime(), nullable=False),
        sa.Column("released_at", UtcDateTime()),
        sa.CheckConstraint("minor > 0", name="minor"),
        sa.ForeignKeyConstraint(["subject_id"], ["money_subjects.id"]),
        sa.ForeignKeyConstraint(["request_id"], ["approval_requests.id"]),
        sa.UniqueConstraint("workspace_id", "request_id", "subject_id"),
    )
    op.create_index("ix_money_claims_subject_id", "money_claims", ["subject_id", "claimed_at"])


def _factors() -> None:
    op.create_table(
        "second_factors",
        *row(),
        sa.Column("operator_id", Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime()),
        sa.Column("last_step", sa.BigInteger(), nullable=False, server_default="0"),
        sa.ForeignKeyConstraint(["operator_id"], ["operators.id"]),
        sa.UniqueConstraint("workspace_id", "operator_id"),
    )
    op.create_table(
        "recovery_codes",
        *row(),
        sa.Column("operator_id", Uuid(), nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("used_at", UtcDateTime()),
        sa.ForeignKeyConstraint(["operator_id"], ["operators.id"]),
        sa.UniqueConstraint("workspace_id", "operator_id", "code_hash"),
    )
