"""Triggers by which the database itself keeps what the authority table said, and never carries out a seeded check."""

from collections.abc import Iterator

from db.guards import make_trigger

# Columns that came after the first guards and that no UPDATE may change either.
FIXED_LATER = ("authority_version", "authority_rule", "customer_tier", "undo_seconds", "seeded_by")
_SEEDED = """
    EXISTS (SELECT 1 FROM approval_requests r WHERE r.id = NEW.request_id AND r.seeded_by IS NOT NULL)
"""


def statements(dialect: str) -> Iterator[str]:
    """Yield the CREATE statements for `sqlite` or `postgresql`, to be executed one by one."""
    differs = "IS NOT" if dialect == "sqlite" else "IS DISTINCT FROM"
    changed = " OR ".join(f"NEW.{column} {differs} OLD.{column}" for column in FIXED_LATER)
    update, insert = "guard_approval_requests_rule", "guard_executions_seeded"
    yield from make_trigger(dialect, update, "approval_requests", "UPDATE", changed, "what was approved never changes")
    yield from make_trigger(dialect, insert, "executions", "INSERT", _SEEDED, "a seeded check is never carried out")
