"""Opens what a command needs of an installation and closes it again; records alone can be had beside a server."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from api import logging, settings
from api.bootstrap import build, build_records
from api.container import Container, Records
from api.settings import Settings


def configured(overrides: Mapping[str, object] | None = None) -> Settings:
    """Read the settings; a command tells in its own words what is wrong, so nothing is logged beside it."""
    given = {name: value for name, value in (overrides or {}).items() if value is not None}
    found = settings.load(given)
    logging.configure(found.model_copy(update={"log_level": "CRITICAL"}))
    return found


@asynccontextmanager
async def opened(found: Settings) -> AsyncIterator[Container]:
    """Open everything but the worker; refused while a server has the data folder."""
    container = build(found)
    try:
        await container.open()
        yield container
    finally:
        await container.close()


@asynccontextmanager
async def recorded(found: Settings) -> AsyncIterator[Records]:
    """Open the records: no model, no index."""
    records = build_records(found)
    try:
        await records.open()
        yield records
    finally:
        await records.close()
