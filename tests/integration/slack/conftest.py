"""Slack around one installation a module and kind of database: loading the models takes a second, so tests share it."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from psycopg import sql

from tests.fixtures.database import _administer, _url
from tests.fixtures.installation import UNHURRIED
from tests.fixtures.slack import Workspace, open_workspace

# Nothing that is approved leaves while the tests of a module share an installation.
UNDO_SECONDS = 36_000


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def shared_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An empty database of the module's own, once of each kind that can be had."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("slack") / "support.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite+aiosqlite:///{path}"
        return
    template, name = request.getfixturevalue("postgres_template"), f"support_slack_{uuid4().hex[:12]}"
    clone = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    _administer(clone.format(sql.Identifier(name), sql.Identifier(template)))
    yield _url(name)
    _administer(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_slack(shared_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Workspace]:
    """Slack connected to an installation whose worker does not run."""
    folder: Path = tmp_path_factory.mktemp("slack") / "data"
    given = {**UNHURRIED, "database_url": shared_url, "undo_reply_seconds": UNDO_SECONDS}
    async with open_workspace(folder, **given) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def slack(shared_slack: Workspace) -> Workspace:
    """The same with an empty queue, nothing shown yet, and cards that must stand for three seconds."""
    await shared_slack.clear()
    return shared_slack
