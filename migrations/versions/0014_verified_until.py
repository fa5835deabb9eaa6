"""Until when an article was verified."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the column; it is filled by the next sync, which stores every article anew."""
    op.add_column("articles", sa.Column("verified_until", sa.Date(), nullable=True))
