"""Workspaces, the people on our side with what they sign in with, and the people whose data is held."""

from uuid import UUID

import sqlalchemy as sa
from alembic import op

from db.base import PersonalText, UtcDateTime, Uuid
from migrations.columns import created, one_of, row

revision = "0001"
down_revision = None

# The workspace of an installation that has only one.
DEFAULT_WORKSPACE = UUID("00000000-0000-7000-8000-000000000001")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "workspaces",
        sa.Column("id", Uuid(), nullable=False),
        created(),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("epoch", Uuid()),
        sa.Column("paused_at", UtcDateTime()),
        sa.Column("quarantined_at", UtcDateTime()),
        sa.Column("quarantine_reason", sa.String()),
        one_of("mode", "observe", "note", "reply"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "operators",
        *row(),
        sa.Column("email", PersonalText(), nullable=False),
        sa.Column("email_hash", sa.String(), nullable=False),
        sa.Column("name", PersonalText(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String()),
        sa.Column("disabled_at", UtcDateTime()),
        one_of("role", "viewer", "approver", "manager", "admin"),
        sa.UniqueConstraint("workspace_id", "email_hash"),
    )
    op.create_table(
        "sessions",
        *row(),
        sa.Column("operator_id", Uuid(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("previous_token_hash", sa.String()),
        sa.Column("rotated_at", UtcDateTime(), nullable=False),
        sa.Column("csrf_secret", sa.String(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("idle_until", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime()),
        one_of("origin", "password", "link"),
        sa.ForeignKeyConstraint(["operator_id"], ["operators.id"]),
        sa.UniqueConstraint("workspace_id", "operator_id", "id"),
        sa.UniqueConstraint("workspace_id", "token_hash"),
    )
    op.create_index("ix_sessions_workspace_id_previous_token_hash", "sessions", ["workspace_id", "previous_token_hash"])
    op.create_table(
        "api_tokens",
        *row(),
        sa.Column("name", PersonalText(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("scopes", sa.String(), nullable=False),
        sa.Column("created_by", Uuid()),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime()),
        sa.Column("used_at", UtcDateTime()),
        sa.ForeignKeyConstraint(["created_by"], ["operators.id"]),
        sa.UniqueConstraint("workspace_id", "token_hash"),
    )
    op.create_table(
        "sign_in_links",
        *row(),
        sa.Column("operator_id", Uuid(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime()),
        sa.ForeignKeyConstraint(["operator_id"], ["operators.id"]),
        sa.UniqueConstraint("workspace_id", "token_hash"),
    )
    op.create_table(
        "sign_in_failures",
        *row(),
        sa.Column("key_hash", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("locked_until", UtcDateTime()),
        sa.UniqueConstraint("workspace_id", "key_hash"),
    )
    op.create_table(
        "subjects",
        *row(),
        sa.Column("erased_at", UtcDateTime()),
    )
    op.create_table(
        "subject_identifiers",
        *row(),
        sa.Column("subject_id", Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        one_of("kind", "email", "phone"),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"]),
        sa.UniqueConstraint("workspace_id", "kind", "hash"),
    )
    op.create_index("ix_subject_identifiers_subject_id", "subject_identifiers", ["subject_id"])
    _default_workspace()


def _default_workspace() -> None:
    workspaces = sa.table("workspaces", sa.column("id", Uuid()), sa.column("name"), sa.column("mode"))
    op.bulk_insert(workspaces, [{"id": DEFAULT_WORKSPACE, "name": "default", "mode": "reply"}])
