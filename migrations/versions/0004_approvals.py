"""Approval requests, decisions, and the money operators let go."""

import sqlalchemy as sa
from alembic import op

from db.base import OutsideText, PersonalBytes, PersonalText, UtcDateTime, Uuid
from migrations.columns import keys, one_of, row, where

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "approval_requests",
        *row(),
        sa.Column("ticket_id", Uuid(), nullable=False),
        sa.Column("run_id", Uuid(), nullable=False),
        sa.Column("action_id", Uuid(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("ref", sa.String(100), nullable=False),
        sa.Column("target", OutsideText(), nullable=False),
        sa.Column("way", sa.String(20), nullable=False),
        sa.Column("canonical", PersonalBytes(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("ticket_revision", sa.Integer(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger()),
        sa.Column("currency", sa.String(3)),
        sa.Column("approvals_needed", sa.Integer(), nullable=False),
        sa.Column("managers_needed", sa.Integer(), nullable=False),
        sa.Column("after_action_id", Uuid()),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime()),
        sa.Column("closed_reason", PersonalText()),
        sa.Column("supersedes_id", Uuid()),
        sa.CheckConstraint("(amount_minor IS NULL) = (currency IS NULL)", name="money_whole"),
        sa.CheckConstraint("approvals_needed >= 1", name="approvals_needed"),
        sa.CheckConstraint("kind <> 'issue_refund' OR amount_minor > 0", name="refund_has_amount"),
        one_of("kind", "send_reply", "issue_refund"),
        sa.CheckConstraint("length(digest) = 64", name="digest_length"),
        sa.CheckConstraint("managers_needed >= 0 AND managers_needed <= approvals_needed", name="managers_needed"),
        one_of("status", "pending", "approved", "rejected", "expired", "superseded"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"]),
        sa.ForeignKeyConstraint(["supersedes_id"], ["approval_requests.id"]),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"]),
        sa.UniqueConstraint("id", "action_id"),
        sa.UniqueConstraint("id", "digest"),
        sa.UniqueConstraint("workspace_id", "action_id"),
    )
    op.create_index("ix_approval_requests_after_action_id", "approval_requests", ["after_action_id"])
    op.create_index(
        "ix_approval_requests_status_expires_at", "approval_requests", ["workspace_id", "status", "expires_at"]
    )
    op.create_index("ix_approval_requests_ticket_id", "approval_requests", ["ticket_id"])
    op.create_index(
        "uq_approval_requests_one_pending",
        "approval_requests",
        ["workspace_id", "ticket_id", "kind", "target"],
        unique=True,
        **where("status = 'pending'"),
    )
    op.create_table(
        "decisions",
        *row(),
        sa.Column("request_id", Uuid(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("operator_id", Uuid(), nullable=False),
        sa.Column("session_id", Uuid(), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("verdict", sa.String(20), nullable=False),
        sa.Column("reason", PersonalText(), nullable=False, server_default=""),
        one_of("role", "viewer", "approver", "manager", "admin"),
        one_of("verdict", "approve", "reject"),
        sa.ForeignKeyConstraint(["operator_id"], ["operators.id"]),
        sa.ForeignKeyConstraint(["request_id", "digest"], ["approval_requests.id", "approval_requests.digest"]),
        sa.ForeignKeyConstraint(
            ["workspace_id", "operator_id", "session_id"],
            ["sessions.workspace_id", "sessions.operator_id", "sessions.id"],
        ),
        sa.UniqueConstraint("id", "request_id", "digest", "verdict"),
        sa.UniqueConstraint("workspace_id", "request_id", "operator_id"),
    )
    op.create_index("ix_decisions_operator_id", "decisions", ["operator_id"])
    op.create_table(
        "operator_money",
        *keys(),
        sa.Column("operator_id", Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("reserved_minor", sa.BigInteger(), nullable=False, server_default="0"),
        sa.CheckConstraint("reserved_minor >= 0", name="reserved_minor"),
        sa.ForeignKeyConstraint(["operator_id"], ["operators.id"]),
        sa.UniqueConstraint("workspace_id", "operator_id", "day", "currency"),
    )
