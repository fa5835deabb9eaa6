"""What became of reading customers' files, and the event that calls for it."""

import sqlalchemy as sa
from alembic import op

from db.base import PersonalText, UtcDateTime, Uuid
from db.row_security import POLICY
from migrations.columns import one_of, row, where

revision = "0020"
down_revision = "0019"

NAMES = (
    "'ticket_received', 'execution_due', 'inside_step_due', 'request_changed', 'knowledge_changed', 'fuller_draft_due'"
)
MORE_NAMES = NAMES + ", 'attachments_due'"
# As in 0015, word for word: what a migration did stays as it was.
_SEEN = (
    "workspace_id = ANY (string_to_array(current_setting('app.workspace', true), ',')::uuid[])"
    " OR current_setting('app.across', true) <> ''"
)
_OUTCOMES = (
    *("read", "picture", "other_kind", "refused", "unreachable", "not_given", "too_large", "mismatched", "locked"),
    *("too_costly", "empty", "broken"),
)


def upgrade() -> None:
    """Make the table behind the workspace's fence, and widen the check of events."""
    op.create_table(
        "attachment_texts",
        *row(),
        sa.Column("ticket_id", Uuid(), nullable=False),
        sa.Column("message_id", Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("tainted", sa.Boolean(), nullable=False),
        sa.Column("cut", sa.Boolean(), nullable=False),
        sa.Column("filename", PersonalText(), nullable=False),
        sa.Column("text", PersonalText(), nullable=False),
        sa.Column("forgotten_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"]),
        sa.UniqueConstraint("workspace_id", "message_id", "position"),
        one_of("outcome", *_OUTCOMES),
    )
    op.create_index("ix_attachment_texts_ticket_id", "attachment_texts", ["ticket_id"])
    op.create_index("ix_attachment_texts_kept", "attachment_texts", ["created_at"], **where("forgotten_at IS NULL"))
    if op.get_bind().dialect.name == "sqlite":
        _widen_sqlite()
        return
    op.execute("ALTER TABLE attachment_texts ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE attachment_texts FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY {POLICY} ON attachment_texts USING ({_SEEN}) WITH CHECK ({_SEEN})")
    op.drop_constraint(op.f("ck_outbox_name"), "outbox", type_="check")
    op.create_check_constraint("name", "outbox", f"name IN ({MORE_NAMES})")


def _widen_sqlite() -> None:
    """As in 0010: SQLite changes no CHECK, and its documented way is to edit the stored schema."""
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    changed = connection.exec_driver_sql(
        "UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = 'outbox'"
        " AND instr(sql, ?) > 0",
        (f"name IN ({NAMES})", f"name IN ({MORE_NAMES})", f"name IN ({NAMES})"),
    )
    if changed.rowcount != 1:
        raise RuntimeError("the check of outbox is not as it was made")
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")
