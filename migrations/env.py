"""Runs migrations in one transaction, one process at a time, on either database."""

from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from db.fences import Across, Fence
from db.schema import METADATA

# Any number, the same for every process that upgrades one PostgreSQL database.
LOCK = 7_205_759


def main() -> None:
    """Connect as told by `db.upgrade`, or by `-x url=…` on the command line."""
    url = context.config.get_main_option("sqlalchemy.url") or context.get_x_argument(as_dictionary=True)["url"]
    limits = context.config.attributes.get("limits")
    engine = create_engine(url, poolclass=NullPool)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _no_driver_transactions)
        event.listen(engine, "begin", _begin_immediate)
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            _limit(connection, "statement_timeout", limits.statement_seconds if limits else 0)
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            # From here on: another process that migrates is waited for, whoever holds a table is not.
            _limit(connection, "lock_timeout", limits.lock_seconds if limits else 0)
            connection.execute(text(Fence(across=Across.MIGRATION).statement))
        context.configure(
            connection=connection,
            target_metadata=METADATA,
            transactional_ddl=True,
            compare_server_default=False,
            render_item=_render,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


def _limit(connection: Connection, setting: str, seconds: float) -> None:
    """Set a time limit of this transaction; 0 is none."""
    connection.execute(
        text("SELECT set_config(:setting, :value, true)"), {"setting": setting, "value": f"{seconds * 1000:.0f}ms"}
    )


def _no_driver_transactions(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _render(kind: str, item: object, autogenerate: AutogenContext) -> str | Literal[False]:
    if kind == "type" and type(item).__module__ == "db.base":
        autogenerate.imports.add(f"from db.base import {type(item).__name__}")
        return f"{type(item).__name__}()"
    return False


main()
