"""Triggers by which the database itself keeps sections and the audit as they were written; statements only."""

from collections.abc import Iterator

from db.guards import FIXED, REFUSED

_SEALED = ("salt", "commitment", "sealed_seq", "seal")
_WRITTEN = ("id", "workspace_id", "at", "event", "subject", "actor", "data")


def statements(dialect: str) -> Iterator[str]:
    """Yield the CREATE statements for `sqlite` or `postgresql`, to be executed one by one."""
    differs = "IS NOT" if dialect == "sqlite" else "IS DISTINCT FROM"
    rewritten = " OR ".join(f"NEW.{column} {differs} OLD.{column}" for column in _WRITTEN)
    incomplete = " OR ".join(f"NEW.{column} IS NULL" for column in _SEALED)
    make = _sqlite if dialect == "sqlite" else _postgresql
    yield from make("run_sections", "UPDATE", "1 = 1")
    yield from make("run_sections", "DELETE", "1 = 1")
    yield from make("audit", "UPDATE", f"OLD.sealed_seq IS NOT NULL OR {incomplete} OR {rewritten}")
    yield from make("audit", "DELETE", "1 = 1")
    if dialect == "postgresql":  # where TRUNCATE would go past all triggers of rows
        for table in ("run_sections", "audit", *FIXED):
            yield from make(table, "TRUNCATE", "1 = 1")


def kept_as_written(dialect: str, table: str) -> Iterator[str]:
    """Yield the CREATE statements that refuse any change to the rows of one table."""
    make = _sqlite if dialect == "sqlite" else _postgresql
    for event in ("UPDATE", "DELETE", *(("TRUNCATE",) if dialect == "postgresql" else ())):
        yield from make(table, event, "1 = 1")


def _sqlite(table: str, event: str, condition: str) -> Iterator[str]:
    yield (
        f"CREATE TRIGGER keep_{table}_{event.lower()} BEFORE {event} ON {table} FOR EACH ROW WHEN {condition} "
        f"BEGIN SELECT RAISE(ABORT, '{REFUSED} {table} is insert-only'); END"
    )


def _postgresql(table: str, event: str, condition: str) -> Iterator[str]:
    name = f"keep_{table}_{event.lower()}"
    each, kept = ("STATEMENT", "NULL") if event == "TRUNCATE" else ("ROW", "OLD" if event == "DELETE" else "NEW")
    yield (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {condition} THEN "
        f"RAISE EXCEPTION '{REFUSED} {table} is insert-only' USING ERRCODE = 'integrity_constraint_violation'; "
        f"END IF; RETURN {kept}; END $$"
    )
    yield f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH {each} EXECUTE FUNCTION {name}()"
