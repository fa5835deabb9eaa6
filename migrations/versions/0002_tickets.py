"""What comes in, the tickets it is about, and the events and audit that go with every change."""

import sqlalchemy as sa
from alembic import op

from db.base import Json, OutsideText, PersonalBytes, PersonalText, UtcDateTime, Uuid, database_now
from migrations.columns import keys, one_of, row, where

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "inbox",
        *row(),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("external_ticket", OutsideText(), nullable=False),
        sa.Column("event_kind", sa.String(), nullable=False),
        sa.Column("event_key", OutsideText(), nullable=False),
        sa.Column("raw", PersonalBytes()),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("buried_reason", OutsideText()),
        sa.UniqueConstraint("workspace_id", "source", "external_ticket", "event_kind", "event_key"),
    )
    op.create_index("ix_inbox_buried", "inbox", ["workspace_id", "id"], **where("buried_reason IS NOT NULL"))
    op.create_table(
        "tickets",
        *row(),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("external_id", OutsideText(), nullable=False),
        sa.Column("subject_id", Uuid(), nullable=False),
        sa.Column("subject", PersonalText(), nullable=False),
        sa.Column("requester_email", PersonalText(), nullable=False),
        sa.Column("requester_name", PersonalText(), nullable=False),
        sa.Column("requester_verified", sa.Boolean(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("order_id", PersonalText()),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("sender_revision", sa.Integer()),
        sa.Column("customer_revision", sa.Integer(), nullable=False),
        sa.Column("operator_revision", sa.Integer(), nullable=False),
        sa.Column("answered_revision", sa.Integer(), nullable=False),
        sa.Column("customer_received_at", UtcDateTime()),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("needs_person_reason", PersonalText()),
        one_of("channel", "email", "chat", "web", "other"),
        one_of("status", "open", "solved", "closed", "merged"),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"]),
        sa.UniqueConstraint("workspace_id", "source", "external_id"),
    )
    op.create_index(
        "ix_tickets_needs_person", "tickets", ["workspace_id", "id"], **where("needs_person_reason IS NOT NULL")
    )
    op.create_index("ix_tickets_newest", "tickets", ["workspace_id", "changed_at", "id"])
    op.create_index("ix_tickets_subject_id", "tickets", ["subject_id"])
    op.create_table(
        "messages",
        *row(),
        sa.Column("ticket_id", Uuid(), nullable=False),
        sa.Column("inbox_id", Uuid(), nullable=False),
        sa.Column("external_id", OutsideText(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("ours", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("text", PersonalText(), nullable=False),
        sa.Column("html", PersonalText()),
        sa.Column("attachments", PersonalText(), nullable=False),
        sa.Column("written_at", UtcDateTime(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        one_of("author", "customer", "operator", "system"),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"]),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"]),
    )
    op.create_index("ix_messages_ticket_id_written_at_id", "messages", ["ticket_id", "written_at", "id"])
    op.create_table(
        "outbox",
        *row(),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("subject", Uuid(), nullable=False),
        sa.Column("not_before", UtcDateTime(), nullable=False, server_default=database_now()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("leased_until", UtcDateTime()),
        sa.Column("done_at", UtcDateTime()),
        sa.Column("buried_at", UtcDateTime()),
        sa.Column("last_error", sa.String()),
        one_of("name", "ticket_received", "execution_due", "inside_step_due", "request_changed", "knowledge_changed"),
    )
    op.create_index("ix_outbox_due", "outbox", ["not_before", "id"], **where("done_at IS NULL AND buried_at IS NULL"))
    op.create_table(
        "audit",
        *keys(),
        sa.Column("at", UtcDateTime(), nullable=False, server_default=database_now()),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("subject", Uuid(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("data", Json, nullable=False),
        sa.Column("salt", sa.String()),
        sa.Column("commitment", sa.String()),
        sa.Column("sealed_seq", sa.Integer()),
        sa.Column("seal", sa.String()),
        sa.UniqueConstraint("workspace_id", "sealed_seq"),
    )
    op.create_index("ix_audit_unsealed", "audit", ["workspace_id", "id"], **where("sealed_seq IS NULL"))
    op.create_index("ix_audit_workspace_id_subject", "audit", ["workspace_id", "subject"])
