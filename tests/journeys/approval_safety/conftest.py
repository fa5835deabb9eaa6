"""One running shop per kind of database for all of this folder."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from psycopg import sql

from tests.fixtures.database import _administer, _url
from tests.journeys.approval_safety.harness import Furnished, furnish
from tests.journeys.approval_safety.house import House, independent, open_house
from tests.journeys.approval_safety.slack_house import SlackHouse, open_emulated_house, open_slack_house
from tests.peers.independent import WHY_NOT

KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


# The same journeys with a Slack, a Stripe and a mail server that others wrote; our own stand-ins judge only us.
INDEPENDENT = pytest.param(
    "independent", marks=[pytest.mark.long, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "installed")]
)


@pytest.fixture(scope="session", params=[*KINDS, INDEPENDENT])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The shop, started once; every test brings a customer of its own."""
    folder = tmp_path_factory.mktemp("house")
    if request.param == "independent":
        with _database(request, folder) as url, independent() as others, open_house(folder, url, others) as made:
            yield made
        return
    with _database(request, folder) as url, open_house(folder, url) as made:
        yield made


@pytest.fixture(scope="session", params=[*KINDS, INDEPENDENT])
def slack_house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlackHouse]:
    """The same with Slack around it."""
    folder = tmp_path_factory.mktemp("slack")
    opened = open_emulated_house if request.param == "independent" else open_slack_house
    with _database(request, folder) as url, opened(folder, url) as made:
        yield made


@pytest.fixture(scope="session", params=KINDS)
def furnished(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Furnished]:
    """What each test that kills its server has a copy of."""
    folder = tmp_path_factory.mktemp("furnished")
    if request.param == "sqlite":
        yield furnish(folder / "data", "")
        return
    with _database(request, folder) as url:
        yield furnish(folder / "data", url)


@contextmanager
def _database(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """An empty database of the kind that is asked for."""
    if request.param != "postgres":
        path = folder / "data" / "support.db"
        path.parent.mkdir(mode=0o700)
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite+aiosqlite:///{path}"
        return
    template, name = request.getfixturevalue("postgres_template"), f"support_house_{os.getpid()}_{uuid4().hex[:8]}"
    copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    _administer(copy.format(sql.Identifier(name), sql.Identifier(template)))
    try:
        yield _url(name)
    finally:
        _administer(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
