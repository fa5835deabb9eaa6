"""Triggers by which the database itself guards approvals and keeps records as they were written."""

from alembic import op

from db.guards import statements as approval_guards
from db.insert_only import statements as record_guards

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the triggers."""
    dialect = op.get_bind().dialect.name
    for statement in (*approval_guards(dialect), *record_guards(dialect)):
        op.get_bind().exec_driver_sql(statement)
