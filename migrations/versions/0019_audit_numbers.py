"""A number of the audit follows the last one, and is given to an entry that was written without one."""

from alembic import op

from db.parts import ONE_NUMBER

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Replace the function that triggers of PostgreSQL call; SQLite knows no roles that could be kept from it."""
    if op.get_bind().dialect.name == "postgresql":
        op.get_bind().exec_driver_sql(ONE_NUMBER)
