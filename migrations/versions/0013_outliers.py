"""A run in numbers, with how unlike earlier runs it is."""

import sqlalchemy as sa
from alembic import op

from db.base import Json

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the column; earlier runs have none."""
    op.add_column("runs", sa.Column("outlier", Json, nullable=True))
