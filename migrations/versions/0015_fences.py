"""Decisions are sealed, and on PostgreSQL every table with a workspace is fenced in by it."""

import sqlalchemy as sa
from alembic import op

from db.row_security import statements

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the seal, and fence in what there is; a later migration that makes such a table fences it in, too."""
    op.add_column("decisions", sa.Column("seal", sa.String(64), nullable=False, server_default=""))
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    found = sa.inspect(connection)
    fenced = (name for name in sorted(found.get_table_names()) if _has_workspace(found, name))
    for statement in statements(fenced):
        op.execute(statement)


def _has_workspace(found: sa.Inspector, table: str) -> bool:
    return any(column["name"] == "workspace_id" for column in found.get_columns(table))
