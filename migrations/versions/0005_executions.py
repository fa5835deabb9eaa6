"""Executions with their attempts, inside steps, and the refund ledger."""

import sqlalchemy as sa
from alembic import op

from db.base import OutsideText, PersonalText, UtcDateTime, Uuid
from migrations.columns import keys, one_of, row

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "executions",
        *row(),
        sa.Column("request_id", Uuid(), nullable=False),
        sa.Column("decision_id", Uuid(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("verdict", sa.String(20), nullable=False),
        sa.Column("action_id", Uuid(), nullable=False),
        sa.Column("ticket_id", Uuid(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("way", sa.String(20), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("not_before", UtcDateTime(), nullable=False),
        sa.Column("next_check_at", UtcDateTime()),
        sa.Column("checks", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("restored", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("reason", PersonalText(), nullable=False, server_default=""),
        sa.Column("receipt", OutsideText()),
        sa.Column("finished_at", UtcDateTime()),
        sa.CheckConstraint("generation >= 1", name="generation"),
        one_of("kind", "send_reply", "issue_refund"),
        one_of("status", "scheduled", "executing", "succeeded", "failed", "in_doubt", "cancelled", "superseded"),
        sa.CheckConstraint("verdict = 'approve'", name="verdict"),
        sa.ForeignKeyConstraint(
            ["decision_id", "request_id", "digest", "verdict"],
            ["decisions.id", "decisions.request_id", "decisions.digest", "decisions.verdict"],
        ),
        sa.ForeignKeyConstraint(["request_id", "action_id"], ["approval_requests.id", "approval_requests.action_id"]),
        sa.ForeignKeyConstraint(["request_id", "digest"], ["approval_requests.id", "approval_requests.digest"]),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"]),
        sa.UniqueConstraint("workspace_id", "action_id"),
        sa.UniqueConstraint("workspace_id", "request_id"),
    )
    op.create_index("ix_executions_status_next_check_at", "executions", ["status", "next_check_at"])
    op.create_index("ix_executions_ticket_id", "executions", ["ticket_id"])
    op.create_table(
        "attempts",
        *keys(),
        sa.Column("execution_id", Uuid(), nullable=False),
        sa.Column("ticket_id", Uuid(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("world", OutsideText(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("leased_until", UtcDateTime(), nullable=False),
        sa.Column("marked_at", UtcDateTime()),
        sa.Column("finished_at", UtcDateTime()),
        sa.Column("outcome", sa.String(20)),
        sa.Column("receipt", OutsideText()),
        sa.Column("error", PersonalText()),
        sa.ForeignKeyConstraint(["execution_id"], ["executions.id"]),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"]),
        sa.UniqueConstraint("workspace_id", "execution_id", "generation"),
        sa.UniqueConstraint("workspace_id", "key"),
    )
    op.create_index("ix_attempts_ticket_id", "attempts", ["ticket_id"])
    op.create_table(
        "inside_steps",
        *row(),
        sa.Column("ticket_id", Uuid(), nullable=False),
        sa.Column("run_id", Uuid(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("body", PersonalText(), nullable=False),
        sa.Column("ticket_revision", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("receipt", sa.String(200)),
        sa.Column("error", PersonalText()),
        sa.Column("finished_at", UtcDateTime()),
        one_of("kind", "note", "tag", "group", "priority"),
        one_of("status", "pending", "done", "failed"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"]),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"]),
        sa.UniqueConstraint("workspace_id", "run_id", "kind"),
    )
    op.create_index("ix_inside_steps_ticket_id", "inside_steps", ["ticket_id"])
    op.create_table(
        "order_balances",
        *row(),
        sa.Column("order_id", OutsideText(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("paid_minor", sa.BigInteger(), nullable=False),
        sa.Column("elsewhere_minor", sa.BigInteger(), nullable=False),
        sa.Column("booked_minor", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("reserved_minor", sa.BigInteger(), nullable=False, server_default="0"),
        sa.CheckConstraint("elsewhere_minor + booked_minor + reserved_minor <= paid_minor", name="within_paid"),
        sa.CheckConstraint(
            "paid_minor >= 0 AND elsewhere_minor >= 0 AND booked_minor >= 0 AND reserved_minor >= 0",
            name="not_negative",
        ),
        sa.UniqueConstraint("workspace_id", "order_id"),
    )
    op.create_table(
        "refund_entries",
        *row(),
        sa.Column("balance_id", Uuid(), nullable=False),
        sa.Column("execution_id", Uuid(), nullable=False),
        sa.Column("action_id", Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("settled_at", UtcDateTime()),
        sa.CheckConstraint("amount_minor > 0", name="amount_minor"),
        one_of("status", "reserved", "booked", "released"),
        sa.ForeignKeyConstraint(["balance_id"], ["order_balances.id"]),
        sa.ForeignKeyConstraint(["execution_id"], ["executions.id"]),
        sa.UniqueConstraint("workspace_id", "action_id"),
    )
    op.create_index("ix_refund_entries_balance_id", "refund_entries", ["balance_id"])
