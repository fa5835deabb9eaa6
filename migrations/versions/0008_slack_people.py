"""Who is who in Slack, what was delivered already, and what people changed in replies."""

import sqlalchemy as sa
from alembic import op

from db.base import OutsideText, PersonalText, UtcDateTime, Uuid
from db.insert_only import kept_as_written
from migrations.columns import one_of, row, where

revision = "0008"
down_revision = "0007"

ORIGINS = ("password", "link", "slack")


def upgrade() -> None:
    """Make the tables; let a session come from a Slack link."""
    _let_sessions_come_from_slack()
    op.create_table(
        "slack_links",
        *row(),
        sa.Column("operator_id", Uuid(), nullable=False),
        sa.Column("session_id", Uuid(), nullable=False),
        sa.Column("team_id", OutsideText(), nullable=False),
        sa.Column("enterprise_id", OutsideText(), nullable=False, server_default=""),
        sa.Column("user_id", OutsideText(), nullable=False),
        sa.Column("ended_at", UtcDateTime()),
        sa.Column("ended_reason", sa.String(20)),
        one_of("ended_reason", "unlinked", "frozen", "replaced"),
        sa.ForeignKeyConstraint(["operator_id"], ["operators.id"]),
        sa.ForeignKeyConstraint(
            ["workspace_id", "operator_id", "session_id"],
            ["sessions.workspace_id", "sessions.operator_id", "sessions.id"],
        ),
    )
    op.create_index(
        "uq_slack_links_account",
        "slack_links",
        ["workspace_id", "team_id", "user_id"],
        unique=True,
        **where("ended_at IS NULL"),
    )
    op.create_index("ix_slack_links_operator_id", "slack_links", ["operator_id"])
    op.create_table(
        "slack_link_codes",
        *row(),
        sa.Column("operator_id", Uuid(), nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime()),
        sa.ForeignKeyConstraint(["operator_id"], ["operators.id"]),
        sa.UniqueConstraint("workspace_id", "code_hash"),
    )
    op.create_table(
        "slack_deliveries",
        *row(),
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.UniqueConstraint("workspace_id", "key_hash"),
    )
    op.create_index("ix_slack_deliveries_expires_at", "slack_deliveries", ["expires_at"])
    _work_of_people()


def _work_of_people() -> None:
    op.create_table(
        "reply_edits",
        *row(),
        sa.Column("request_id", Uuid(), nullable=False),
        sa.Column("replaced_by_id", Uuid(), nullable=False),
        sa.Column("operator_id", Uuid(), nullable=False),
        sa.Column("diff", PersonalText(), nullable=False),
        sa.ForeignKeyConstraint(["operator_id"], ["operators.id"]),
        sa.ForeignKeyConstraint(["replaced_by_id"], ["approval_requests.id"]),
        sa.ForeignKeyConstraint(["request_id"], ["approval_requests.id"]),
    )
    op.create_index("ix_reply_edits_request_id", "reply_edits", ["request_id"])
    op.create_table(
        "unsent_edits",
        *row(),
        sa.Column("operator_id", Uuid(), nullable=False),
        sa.Column("ticket_id", Uuid(), nullable=False),
        sa.Column("request_id", Uuid(), nullable=False),
        sa.Column("text", PersonalText(), nullable=False),
        sa.ForeignKeyConstraint(["operator_id"], ["operators.id"]),
        sa.ForeignKeyConstraint(["request_id"], ["approval_requests.id"]),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"]),
        sa.UniqueConstraint("workspace_id", "operator_id", "ticket_id"),
    )
    for statement in kept_as_written(op.get_bind().dialect.name, "reply_edits"):
        op.get_bind().exec_driver_sql(statement)


def _let_sessions_come_from_slack() -> None:
    listed = ", ".join(f"'{origin}'" for origin in ORIGINS)
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        # SQLite changes no CHECK in place, so the table is copied; foreign keys are off while migrating. Triggers of
        # other tables name this one: only the old way of renaming leaves them as they are while it is away.
        connection.exec_driver_sql("PRAGMA legacy_alter_table=ON")
        with op.batch_alter_table("sessions", recreate="always") as batch:
            batch.drop_constraint("origin", type_="check")
            batch.create_check_constraint("origin", f"origin IN ({listed})")
        connection.exec_driver_sql("PRAGMA legacy_alter_table=OFF")
    else:
        op.drop_constraint("origin", "sessions", type_="check")
        op.create_check_constraint("origin", "sessions", f"origin IN ({listed})")
