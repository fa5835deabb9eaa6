"""A follower is read for what pages show and for nothing else; where it is away or behind, the database itself answers.

The follower of these tests is another database, with nothing in it: so a page says which of the two it was read from.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from api.deps import WROTE
from api.settings import load
from db import replica
from db.engine import Database
from db.fences import UPKEEP
from db.replica import AWAY_SECONDS, Reading
from db.roles import DatabaseRole, name_of, statements
from db.upgrade import run
from support_agents.domain.approval import RequestStatus, Role
from support_agents.domain.ids import DEFAULT_WORKSPACE
from tests.fixtures.console import Browser, Desk, open_desk
from tests.fixtures.database import _url
from tests.fixtures.postgres_shelf import PostgresShelf

NOBODY = "postgresql+psycopg://nobody@127.0.0.1:9/none"
PRIMARY, FOLLOWER = "primary", "follower"


@pytest.fixture
def follower_url(postgres_shelf: PostgresShelf) -> Iterator[str]:
    with postgres_shelf.one() as name:
        yield _url(name)


@dataclass
class Watched:
    """A reading whose clock the test moves, and what it said."""

    reading: Reading
    said: list[str]
    at: float = 0.0
    names: dict[str, str] = field(default_factory=dict)

    async def source(self, *, wrote: bool = False) -> str:
        async with self.reading.read(wrote=wrote) as uow:
            return self.names[(await uow.session.execute(text("SELECT current_database()"))).scalar_one()]


@asynccontextmanager
async def watched(primary_url: str, follower_url: str) -> AsyncIterator[Watched]:
    said: list[str] = []
    primary, follower = Database.open(primary_url), Database.open_replica(follower_url)
    made = Watched(Reading(primary, follower, 5, said.append, lambda: made.at), said)
    made.names = {primary_url.rsplit("/", 1)[1]: PRIMARY, follower_url.rsplit("/", 1)[1]: FOLLOWER}
    yield made
    await made.reading.close()
    await primary.close()


async def test_the_follower_is_read_but_by_whom_has_just_written(postgres_url: str, follower_url: str) -> None:
    async with watched(postgres_url, follower_url) as watch:
        assert await watch.source() == FOLLOWER
        assert await watch.source(wrote=True) == PRIMARY
        assert await watch.source() == FOLLOWER
        assert watch.said == []


async def test_a_follower_that_is_away_is_given_up_for_a_while_and_said_once(postgres_url: str) -> None:
    async with watched(postgres_url, NOBODY) as watch:
        for _ in range(3):
            assert await watch.source() == PRIMARY
        assert watch.said == ["database_unavailable"]
        watch.at = AWAY_SECONDS + 1
        assert await watch.source() == PRIMARY
        assert watch.said == ["database_unavailable"] * 2


async def test_a_follower_that_is_behind_is_not_asked_until_it_has_caught_up(
    postgres_url: str, follower_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watched(postgres_url, follower_url) as watch:
        with monkeypatch.context() as late:
            late.setattr(replica, "_BEHIND", text("SELECT 5.1"))
            assert [await watch.source() for _ in range(2)] == [PRIMARY, PRIMARY]
        assert watch.said == ["behind"]
        watch.at = AWAY_SECONDS + 1
        assert await watch.source() == FOLLOWER


async def test_a_follower_without_the_schema_does_no_harm(postgres_url: str) -> None:
    async with watched(postgres_url, f"{postgres_url.rsplit('/', 1)[0]}/no_such_database") as watch:
        assert await watch.source() == PRIMARY


async def test_an_error_of_who_reads_is_theirs(postgres_url: str, follower_url: str) -> None:
    async with watched(postgres_url, follower_url) as watch:
        with pytest.raises(ZeroDivisionError):
            async with watch.reading.read(wrote=False):
                raise ZeroDivisionError
        assert await watch.source() == FOLLOWER
        assert watch.said == []


async def test_nothing_can_be_written_there(follower_url: str) -> None:
    follower = Database.open_replica(follower_url)
    try:
        with pytest.raises(DBAPIError, match="read-only transaction"):
            async with follower.write("attempt", fence=UPKEEP) as uow:
                await uow.workspaces.pause(DEFAULT_WORKSPACE)
    finally:
        await follower.close()


@pytest.fixture
async def desk(postgres_url: str, follower_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk whose follower has heard of nothing: no operator, no ticket, no session."""
    async with open_desk(tmp_path, database_url=postgres_url, database_read_url=follower_url) as opened:
        yield opened


def forget(browser: Browser) -> None:
    """The time after a write is over."""
    browser.client.cookies.delete(WROTE)


async def test_lists_and_figures_come_from_the_follower_and_after_a_write_from_the_database(desk: Desk) -> None:
    request = await desk.reply()
    ann = await desk.browser()
    assert WROTE in ann.client.cookies
    assert f"row-{request}" in (await ann.get("/console")).text
    forget(ann)
    for path in ("/console", "/console/queue/lists"):
        assert f"row-{request}" not in (await ann.get(path)).text, path
    assert "/console/tickets/" not in (await ann.get("/console/tickets")).text
    assert (await ann.get("/console/activity")).status_code == 200

    # What is decided, and the session and the token by which, never come from there.
    assert (await ann.decide(request, "approve")).status_code == 303
    assert await desk.status(request) is RequestStatus.APPROVED
    assert WROTE in ann.client.cookies
    assert "/console/tickets/" in (await ann.get("/console/tickets")).text


@pytest.fixture
def reading_url(postgres_url: str) -> Iterator[str]:
    """The database itself, for the login of a process that decides: the console reads who decided."""
    prefix, password = f"support_test_{uuid4().hex[:8]}", uuid4().hex
    login = f"{prefix}_login"
    run(postgres_url, [*statements(prefix), f"CREATE ROLE {login} LOGIN PASSWORD '{password}' IN ROLE {prefix}_decide"])
    yield make_url(postgres_url).set(username=login, password=password).render_as_string(hide_password=False)
    names = [login, *(name_of(role, prefix) for role in DatabaseRole)]
    run(postgres_url, [f"DROP OWNED BY {', '.join(names)}", f"DROP ROLE {', '.join(names)}"])


async def test_a_login_of_who_decides_is_enough(postgres_url: str, reading_url: str, tmp_path: Path) -> None:
    async with open_desk(tmp_path, database_url=postgres_url, database_read_url=reading_url) as desk:
        said: list[str] = []
        desk.installation.container.reading.warn = said.append
        mia = await desk.browser(Role.MANAGER)
        request, decided = await desk.reply(), await desk.reply()
        assert (await mia.decide(decided, "approve")).status_code == 303
        async with desk.installation.container.database.read() as uow:
            tickets = [asked.ticket_id for asked in [await uow.approvals.get(decided)] if asked is not None]
        forget(mia)
        for path in ("", "/queue/lists", "/tickets", f"/tickets/{tickets[0]}", "/activity", "/approvers"):
            answer = await mia.get(f"/console{path}")
            assert answer.status_code == 200, path
        assert f"row-{request}" in (await mia.get("/console")).text
        assert said == []


async def test_a_stop_is_shown_at_once_although_the_follower_knows_nothing_of_it(desk: Desk) -> None:
    ada = await desk.browser(Role.ADMIN)
    before = (await ada.get("/console/tickets")).text
    answer = await ada.post("/console/dispatch", on="/console/activity", to="off")
    assert answer.status_code == 303, answer.text
    forget(ada)
    after = (await ada.get("/console/tickets")).text
    assert "Nothing is sent: dispatch is stopped." in after
    assert "Nothing is sent: dispatch is stopped." not in before


async def test_without_a_follower_no_cookie_is_set(postgres_url: str, tmp_path: Path) -> None:
    async with open_desk(tmp_path, database_url=postgres_url) as desk:
        ann = await desk.browser()
        assert WROTE not in ann.client.cookies


def test_a_file_has_no_follower(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="DATABASE_READ_URL follows a PostgreSQL"):
        load({"data_dir": tmp_path, "database_read_url": "postgresql+psycopg://a@b/c"})
