"""Row-level security of PostgreSQL by workspace: statements only, run by the migration; SQLite has no such thing."""

from collections.abc import Iterable, Iterator

POLICY = "workspace_fence"
# Without either setting nothing is seen and nothing can be written: a NULL or an empty list fits no row.
SEEN = (
    "workspace_id = ANY (string_to_array(current_setting('app.workspace', true), ',')::uuid[])"
    " OR current_setting('app.across', true) <> ''"
)
# These triggers look at other tables than the one that is written, with the owner's rights and the writer's fence.
LOOKING = ("guard_decisions_insert", "guard_executions_insert", "guard_executions_seeded")


def statements(tables: Iterable[str]) -> Iterator[str]:
    """Yield what fences each table in, its owner's access included."""
    for table in tables:
        yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
        yield f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"
        yield f"CREATE POLICY {POLICY} ON {table} USING ({SEEN}) WITH CHECK ({SEEN})"
    for function in LOOKING:
        yield f"ALTER FUNCTION {function}() SECURITY DEFINER SET search_path = public, pg_temp"
