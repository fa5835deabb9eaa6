"""Brings a database to the newest schema, from wherever the package is installed; it never goes back."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from support_agents.domain.errors import SupportError


def upgrade(url: str) -> None:
    """Run every missing migration, all in one transaction; blocks. `url` as for `Database.open`."""
    with _reached():
        command.upgrade(_config(url), "head")


def is_current(url: str) -> bool:
    """Whether no migration is missing; False also for a database that has never been migrated."""
    engine = create_engine(_blocking(url), poolclass=NullPool)
    with _reached(), engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    return found == ScriptDirectory.from_config(_config(url)).get_current_head()


@contextmanager
def _reached() -> Iterator[None]:
    """Say in our own words that there is no database to be reached, or that it is none."""
    try:
        yield
    except DBAPIError as error:
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
