"""Brings a database to the newest schema, from wherever the package is installed; it never goes back."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from db.uow import UnitOfWork
from support_agents.domain.errors import SupportError

_AT = text("SELECT version_num FROM alembic_version")
BUSY = "a table is in use by others for too long; nothing has changed. Run it again, or when there is less to do."
TOO_LONG = "a statement took longer than SUPPORT_MIGRATION_STATEMENT_SECONDS allows; nothing has changed. Allow more."
NEWER = "the database is at schema {} of a later version of this software: start that version, or restore a backup"
# What PostgreSQL says when a lock was not to be had in time, and when a statement took too long.
_LOCKED, _CANCELLED = "55P03", "57014"
_HELD = {_LOCKED: BUSY, _CANCELLED: TOO_LONG}


@dataclass(frozen=True)
class Limits:
    """How long a migration on PostgreSQL waits for a table that others hold, and how long one statement may take."""

    lock_seconds: float = 5
    statement_seconds: float = 900


@dataclass(frozen=True)
class Missing:
    """A migration that has not run here."""

    revision: str
    about: str


def upgrade(url: str, limits: Limits | None = None) -> None:
    """Run every missing migration, all in one transaction; blocks. `url` as for `Database.open`.

    `schema_newer` for a database that a later version has migrated.
    """
    config = _config(url)
    if later := newer(url):
        raise SupportError("schema_newer", NEWER.format(later))
    config.attributes["limits"] = limits or Limits()
    with _reached():
        command.upgrade(config, "head")


def missing(url: str) -> tuple[Missing, ...]:
    """The migrations that have not run, in their order; all of them for a database that has never been migrated.

    None where a later version has migrated it: while processes are rolled over, this one may have to be started again.
    """
    found, scripts = _revision(url), ScriptDirectory.from_config(_config(url))
    if found is not None and found not in _known(scripts):
        return ()
    later = scripts.iterate_revisions("head", found or "base")
    return tuple(Missing(each.revision, each.doc) for each in reversed([*later]) if each.revision != found)


async def problem_of(uow: UnitOfWork) -> str:
    """What is wrong with the schema of an open database, in one line that says what to do; empty when nothing is.

    One statement, and no engine or file of its own: for whoever asks again and again.
    """
    found = (await uow.session.execute(_AT)).scalar_one_or_none()
    shipped = _shipped()
    if found is not None and (found == shipped[-1] or found not in shipped):
        return ""  # a later version's is one that this version may work on
    left = len(shipped) if found is None else len(shipped) - shipped.index(found) - 1
    return (
        f"the database is at schema {found or 'none'} and misses {left} migrations up to {shipped[-1]}:"
        " run `support-agents db upgrade`"
    )


@cache
def _shipped() -> tuple[str, ...]:
    """The revisions of this version, oldest first; read from the scripts once in the life of a process."""
    scripts = ScriptDirectory(str(files("migrations")))
    return tuple(reversed([each.revision for each in scripts.walk_revisions()]))


def newer(url: str) -> str:
    """The revision that a later version has brought the database to; empty where this one knows it."""
    found = _revision(url)
    known = _known(ScriptDirectory.from_config(_config(url)))
    return "" if found is None or found in known else found


def _revision(url: str) -> str | None:
    engine = create_engine(_blocking(url), poolclass=NullPool)
    with _reached(), engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _known(scripts: ScriptDirectory) -> frozenset[str]:
    return frozenset(each.revision for each in scripts.walk_revisions())


def is_current(url: str) -> bool:
    """Whether no migration is missing; False also for a database that has never been migrated."""
    return not missing(url)


def run(url: str, statements: Iterable[str]) -> None:
    """Run statements of ours in one transaction, as the owner; blocks."""
    engine = create_engine(_blocking(url), poolclass=NullPool)
    with _reached(), engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


@contextmanager
def _reached() -> Iterator[None]:
    """Say in our own words that there is no database to be reached, or that it is none."""
    try:
        yield
    except DBAPIError as error:
        code = getattr(error.orig, "sqlstate", None)
        if code in _HELD:
            raise SupportError("schema_busy", _HELD[code], retryable=code == _LOCKED) from error
        raise SupportError("database_unavailable", str(error.orig), retryable=True) from error


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("migrations")).replace("%", "%%"))
    plain = _blocking(url).render_as_string(hide_password=False)
    config.set_main_option("sqlalchemy.url", plain.replace("%", "%%"))
    return config


def _blocking(url: str) -> URL:
    """The same database by a driver that blocks; psycopg is its own."""
    parsed = make_url(url)
    return parsed.set(drivername="sqlite") if parsed.get_backend_name() == "sqlite" else parsed
