"""Triggers by which the database itself refuses an effect without approval; statements only, run by the migration."""

from collections.abc import Iterator
from functools import partial

REFUSED = "support-agents:"

# What must hold for a new execution, over the new row `{n}`: approved request, enough distinct approvers and managers,
# nobody against, every decision from a session of the operator who decided.
_UNAPPROVED = """
    {n}.status <> 'scheduled'
    OR NOT EXISTS (
        SELECT 1 FROM approval_requests r
        WHERE r.id = {n}.request_id AND r.digest = {n}.digest AND r.status = 'approved'
          AND r.workspace_id = {n}.workspace_id AND r.ticket_id = {n}.ticket_id AND r.kind = {n}.kind
          AND r.approvals_needed <= (
              SELECT count(DISTINCT d.operator_id) FROM decisions d JOIN sessions s ON s.id = d.session_id
              WHERE d.request_id = r.id AND d.digest = r.digest AND d.verdict = 'approve'
                AND s.operator_id = d.operator_id)
          AND r.managers_needed <= (
              SELECT count(DISTINCT d.operator_id) FROM decisions d
              WHERE d.request_id = r.id AND d.digest = r.digest AND d.verdict = 'approve'
                AND d.role IN ('manager', 'admin'))
          AND NOT EXISTS (
              SELECT 1 FROM decisions d WHERE d.request_id = r.id AND d.verdict = 'reject'))
"""
# A decision: an open question, a live session of this very operator, at the role that the operator has.
_STRANGE_SESSION = """
    NOT EXISTS (
        SELECT 1 FROM sessions s JOIN operators o ON o.id = s.operator_id
        WHERE s.id = {n}.session_id AND s.operator_id = {n}.operator_id AND s.workspace_id = {n}.workspace_id
          AND s.ended_at IS NULL AND o.disabled_at IS NULL AND o.role = {n}.role)
    OR NOT EXISTS (
        SELECT 1 FROM approval_requests r
        WHERE r.id = {n}.request_id AND r.workspace_id = {n}.workspace_id AND r.status = 'pending')
"""

# (trigger, table, event, condition over the new row, message)
_INSERTS = (
    ("guard_executions_insert", "executions", _UNAPPROVED, "an execution needs its approvals"),
    (
        "guard_decisions_insert",
        "decisions",
        _STRANGE_SESSION,
        "a decision needs a session of its operator and an open question",
    ),
)
# Columns that no UPDATE may change.
FIXED = {
    "approval_requests": (
        "id", "workspace_id", "ticket_id", "run_id", "action_id", "kind", "target", "way", "canonical", "digest",
        "ticket_revision", "amount_minor", "currency", "approvals_needed", "managers_needed", "after_action_id",
    ),
    "decisions": ("id", "workspace_id", "request_id", "digest", "operator_id", "session_id", "role", "verdict"),
    "executions": (
        "id", "workspace_id", "request_id", "decision_id", "digest", "verdict", "action_id", "ticket_id", "kind", "way",
    ),
}  # fmt: skip
# Where an end is an end, whoever writes: a status that no UPDATE may leave.
_CLOSED = {
    "approval_requests": ("rejected", "expired", "superseded"),
    "executions": ("failed", "cancelled", "superseded"),
}


def statements(dialect: str) -> Iterator[str]:
    """Yield the CREATE statements for `sqlite` or `postgresql`, to be executed one by one."""
    make = partial(make_trigger, dialect)
    for name, table, condition, message in _INSERTS:
        yield from make(name, table, "INSERT", condition.format(n="NEW"), message)
    for table, columns in FIXED.items():
        same = "IS NOT" if dialect == "sqlite" else "IS DISTINCT FROM"
        changed = " OR ".join(f"NEW.{column} {same} OLD.{column}" for column in columns)
        yield from make(f"guard_{table}_update", table, "UPDATE", changed, "what was approved never changes")
        yield from make(f"guard_{table}_delete", table, "DELETE", "1 = 1", "what was approved is never deleted")
    for table, ends in _CLOSED.items():
        listed = ", ".join(f"'{end}'" for end in ends)
        reopened = f"OLD.status IN ({listed}) AND NEW.status <> OLD.status"
        yield from make(f"guard_{table}_closed", table, "UPDATE", reopened, "what has ended stays as it ended")


def make_trigger(  # noqa: PLR0913, PLR0917 - what a trigger is made of
    dialect: str, name: str, table: str, event: str, condition: str, message: str
) -> Iterator[str]:
    """Yield the statements that make one trigger: `event` on `table` is refused where `condition` holds."""
    make = _sqlite if dialect == "sqlite" else _postgresql
    yield from make(name, table, event, condition, message)


def _sqlite(name: str, table: str, event: str, condition: str, message: str) -> Iterator[str]:
    yield (
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW WHEN {condition} "
        f"BEGIN SELECT RAISE(ABORT, '{REFUSED} {message}'); END"
    )


def _postgresql(name: str, table: str, event: str, condition: str, message: str) -> Iterator[str]:
    kept = "OLD" if event == "DELETE" else "NEW"
    yield (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {condition} THEN RAISE EXCEPTION '{REFUSED} {message}' USING ERRCODE = 'integrity_constraint_violation'; "
        f"END IF; RETURN {kept}; END $$"
    )
    yield f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"
