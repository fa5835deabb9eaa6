"""The databases of benchmarks: SQLite, and PostgreSQL where one answers; each is made empty and dropped after."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

POSTGRES = os.environ.get("SUPPORT_TEST_POSTGRES_URL", "")


@contextmanager
def postgresql() -> Iterator[str]:
    """Give out the URL of an empty database on the server at `SUPPORT_TEST_POSTGRES_URL`."""
    name = f"support_bench_{uuid4().hex[:12]}"
    _administer(sql.SQL("CREATE DATABASE {}"), name)
    try:
        yield make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    finally:
        _administer(sql.SQL("DROP DATABASE {} WITH (FORCE)"), name)


def conninfo_of(url: str) -> str:
    """Return what psycopg connects with."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _administer(statement: sql.SQL, name: str) -> None:
    with psycopg.connect(conninfo_of(POSTGRES), autocommit=True) as connection:
        connection.execute(statement.format(sql.Identifier(name)))
