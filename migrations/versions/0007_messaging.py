"""What a team messenger shows of requests, who looks at them, and what operators can take."""

import sqlalchemy as sa
from alembic import op

from db.base import OutsideText, UtcDateTime, Uuid
from migrations.columns import one_of, row

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables and columns."""
    op.create_table(
        "posted_cards",
        *row(),
        sa.Column("request_id", Uuid(), nullable=False),
        sa.Column("place", OutsideText(), nullable=False),
        sa.Column("ref", OutsideText()),
        sa.Column("fingerprint", sa.String(64)),
        sa.Column("version", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("rendered_at", UtcDateTime()),
        sa.Column("leased_until", UtcDateTime()),
        sa.Column("failures", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("error", sa.String(100)),
        sa.Column("retired_at", UtcDateTime()),
        sa.ForeignKeyConstraint(["request_id"], ["approval_requests.id"]),
        sa.UniqueConstraint("workspace_id", "request_id", "place"),
        sa.UniqueConstraint("workspace_id", "place", "ref"),
    )
    op.create_index("ix_posted_cards_request_id", "posted_cards", ["request_id"])
    op.create_table(
        "card_claims",
        *row(),
        sa.Column("request_id", Uuid(), nullable=False),
        sa.Column("operator_id", Uuid(), nullable=False),
        sa.Column("claimed_until", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["approval_requests.id"]),
        sa.ForeignKeyConstraint(["operator_id"], ["operators.id"]),
        sa.UniqueConstraint("workspace_id", "request_id"),
    )
    op.create_index("ix_card_claims_operator_id", "card_claims", ["operator_id"])
    op.create_table(
        "notices",
        *row(),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("place", OutsideText(), nullable=False),
        sa.Column("sent_at", UtcDateTime()),
        one_of("kind", "summary", "reminder", "escalation"),
        sa.UniqueConstraint("workspace_id", "kind", "key", "place"),
    )
    _operators()


def _operators() -> None:
    """What a person reads and takes, and who stands in for them."""
    for column in ("languages", "skills"):
        op.add_column("operators", sa.Column(column, sa.String(), nullable=False, server_default=""))
    for column in ("away_from", "away_until"):
        op.add_column("operators", sa.Column(column, UtcDateTime()))
    # One statement with the reference in it: SQLite adds no constraint later.
    name = op.f("fk_operators_delegate_id_operators")
    delegate = sa.Column("delegate_id", Uuid(), sa.ForeignKey("operators.id", name=name))
    op.add_column("operators", delegate, inline_references=True)
