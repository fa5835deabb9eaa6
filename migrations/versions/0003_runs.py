"""Runs with their sections, and the knowledge they draw on."""

import sqlalchemy as sa
from alembic import op

from db.base import Json, OutsideText, PersonalText, UtcDateTime, Uuid
from migrations.columns import created, one_of, row, where

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "runs",
        *row(),
        sa.Column("ticket_id", Uuid(), nullable=False),
        sa.Column("ticket_revision", sa.Integer(), nullable=False),
        sa.Column("event_id", Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("outcome", sa.String()),
        sa.Column("reason", PersonalText(), nullable=False),
        sa.Column("actions", PersonalText(), nullable=False),
        sa.Column("timings", Json, nullable=False),
        sa.Column("model_calls", Json, nullable=False),
        sa.Column("versions", Json, nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("begun_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime()),
        sa.Column("total_ms", sa.Double()),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("salt", sa.String()),
        one_of(
            "outcome", "drafted", "shortened", "macro", "extractive", "clarify", "evidence", "handed_off", "overtaken"
        ),
        one_of("status", "open", "finished"),
        sa.ForeignKeyConstraint(["event_id"], ["outbox.id"]),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"]),
    )
    op.create_index("ix_runs_finished", "runs", ["workspace_id", "finished_at"])
    op.create_index("ix_runs_ticket_id_id", "runs", ["ticket_id", "id"])
    op.create_index("uq_runs_open", "runs", ["workspace_id", "ticket_id"], unique=True, **where("status = 'open'"))
    op.create_table(
        "run_sections",
        sa.Column("workspace_id", Uuid(), nullable=False),
        created(),
        sa.Column("run_id", Uuid(), nullable=False),
        sa.Column("section", sa.String(), nullable=False),
        sa.Column("writer", sa.String(), nullable=False),
        sa.Column("content", PersonalText(), nullable=False),
        one_of("section", "screening", "intent", "retrieval", "plan", "draft", "compliance"),
        one_of("writer", "pipeline", "intent", "retrieval", "drafting", "compliance"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"]),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"]),
        sa.PrimaryKeyConstraint("run_id", "section"),
    )
    op.create_table(
        "articles",
        *row(),
        sa.Column("article_id", OutsideText(), nullable=False),
        sa.Column("title", OutsideText(), nullable=False),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("updated", sa.Date()),
        sa.Column("content_hash", sa.String(), nullable=False),
        one_of("audience", "public", "internal"),
        sa.UniqueConstraint("workspace_id", "article_id"),
    )
    op.create_table(
        "passages",
        *row(),
        sa.Column("article_row_id", Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("heading", OutsideText(), nullable=False),
        sa.Column("text", OutsideText(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["article_row_id"], ["articles.id"]),
        sa.UniqueConstraint("workspace_id", "article_row_id", "position"),
    )
