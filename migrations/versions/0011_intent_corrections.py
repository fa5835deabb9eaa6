"""What people say a message was about, kept as examples to train on."""

import sqlalchemy as sa
from alembic import op

from db.base import PersonalText, Uuid
from migrations.columns import row

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "intent_corrections",
        *row(),
        sa.Column("run_id", Uuid(), nullable=False),
        sa.Column("subject_id", Uuid(), nullable=False),
        sa.Column("operator_id", Uuid(), nullable=False),
        sa.Column("text", PersonalText(), nullable=False),
        sa.Column("language", sa.String(20), nullable=False),
        sa.Column("guessed", sa.String(100), nullable=False),
        sa.Column("intent", sa.String(100), nullable=False),
        sa.Column("model_version", sa.String(200), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"]),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"]),
        sa.ForeignKeyConstraint(["operator_id"], ["operators.id"]),
        sa.UniqueConstraint("workspace_id", "run_id"),
    )
    op.create_index("ix_intent_corrections_subject_id", "intent_corrections", ["subject_id"])
    op.create_index("ix_intent_corrections_workspace_id_id", "intent_corrections", ["workspace_id", "id"])
