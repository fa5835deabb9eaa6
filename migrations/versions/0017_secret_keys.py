"""Which secret keys something stored depends on."""

import sqlalchemy as sa
from alembic import op

from db.base import Json, UtcDateTime
from db.row_security import POLICY
from migrations.columns import one_of, row

revision = "0017"
down_revision = "0016"
# As in 0015, word for word: what a migration did stays as it was.
_SEEN = (
    "workspace_id = ANY (string_to_array(current_setting('app.workspace', true), ',')::uuid[])"
    " OR current_setting('app.across', true) <> ''"
)


def upgrade() -> None:
    """Make the table; each key is noted by the first process that starts with it."""
    op.create_table(
        "secret_keys",
        *row(),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(16), nullable=False),
        sa.Column("retired_at", UtcDateTime(), nullable=True),
        sa.Column("sealed_to", sa.BigInteger(), nullable=True),
        sa.Column("kept", Json, nullable=False, server_default="{}"),
        sa.UniqueConstraint("workspace_id", "kind", "fingerprint"),
        one_of("kind", "installation", "decisions"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE secret_keys ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE secret_keys FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY {POLICY} ON secret_keys USING ({_SEEN}) WITH CHECK ({_SEEN})")
