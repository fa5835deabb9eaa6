"""The database's clock made movable, on both databases, without touching the product; it moves no other clock."""

import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from db.engine import Database
from db.sqlite import SqliteStore

# In front of pg_catalog, so that the product's own `clock_timestamp()` is this one.
_SCHEMA = """
CREATE SCHEMA moved;
CREATE TABLE moved.clock (ahead interval NOT NULL);
INSERT INTO moved.clock VALUES ('0');
CREATE FUNCTION moved.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
    AS 'SELECT pg_catalog.clock_timestamp() + ahead FROM moved.clock';
"""
_DEFAULTS = """
SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = 'public' AND column_default LIKE '%clock_timestamp()%'
"""


@dataclass
class MovableClock:
    """How far the database's clock is ahead of the machine's; `install` before the first connection."""

    url: str
    ahead: timedelta = field(default=timedelta())

    def install(self, database: Database) -> Database:
        """Give the database this clock; returns it."""
        store = database._store
        if isinstance(store, SqliteStore):
            for engine in (store.writing, store.reading):
                self._listen(engine)
        return database

    def move(self, by: timedelta) -> None:
        """Let time pass, or set the clock back."""
        self.ahead += by
        if not self.url.startswith("sqlite"):
            with psycopg.connect(_plain(self.url), autocommit=True) as connection:
                connection.execute("UPDATE moved.clock SET ahead = %s", (self.ahead,))

    def now(self) -> datetime:
        """What the database would say."""
        return datetime.now(UTC) + self.ahead

    def _listen(self, engine: AsyncEngine) -> None:
        @event.listens_for(engine.sync_engine, "connect")
        def connected(connection: Any, _record: object) -> None:
            connection.create_function("strftime", -1, self._strftime)

    def _strftime(self, form: str, *given: str) -> str | None:
        if given != ("now",):
            raise sqlite3.NotSupportedError("only the present is asked for")
        now = self.now()
        return now.strftime(form.replace("%f", f"{now.second:02d}.{now.microsecond // 1000:03d}"))


def make_movable(url: str) -> None:
    """Prepare a migrated PostgreSQL database; nothing is needed on SQLite. Before anybody is connected."""
    if url.startswith("sqlite"):
        return
    with psycopg.connect(_plain(url), autocommit=True) as connection:
        connection.execute(_SCHEMA)
        for table, column in connection.execute(_DEFAULTS).fetchall():
            connection.execute(
                sql.SQL("ALTER TABLE {} ALTER COLUMN {} SET DEFAULT moved.clock_timestamp()").format(
                    sql.Identifier(table), sql.Identifier(column)
                )
            )
    use_movable(url)


def use_movable(url: str) -> None:
    """Have a database's sessions read the movable clock: a copy of a prepared database does not inherit that."""
    with psycopg.connect(_plain(url), autocommit=True) as connection:
        name = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("ALTER DATABASE {} SET search_path = moved, pg_catalog, public").format(name))


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://", 1)
