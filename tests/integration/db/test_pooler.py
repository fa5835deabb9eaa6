"""Through PgBouncer in transaction mode: a whole journey, and nothing of ours stays on a session of the server."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from db.engine import Database
from db.fences import UPKEEP
from support_agents.domain.errors import SupportError
from tests.fixtures.installation import UNHURRIED, open_installation
from tests.fixtures.pooler import SESSIONS, pooled
from tests.integration.db.test_fences import ordinary_url

__all__ = ["ordinary_url"]
LEFT = """
SELECT coalesce(current_setting('app.workspace', true), '') || coalesce(current_setting('app.across', true), ''),
  (SELECT count(*) FROM pg_prepared_statements), (SELECT count(*) FROM pg_listening_channels()),
  (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()),
  current_setting('transaction_read_only'), current_setting('lock_timeout'), pg_backend_pid()
"""


@pytest.fixture
def pooled_url(postgres_url: str) -> Iterator[str]:
    with pooled(postgres_url) as url:
        yield url


async def left_on_sessions(url: str) -> set[tuple[object, ...]]:
    """What each session behind the pooler still has of others' transactions."""
    conninfo = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connections = [await psycopg.AsyncConnection.connect(conninfo, prepare_threshold=None) for _ in range(SESSIONS)]
    try:
        # All in a transaction at once: so each has a session to itself.
        rows = [await (await connection.execute(LEFT)).fetchone() for connection in connections]
    finally:
        for connection in connections:
            await connection.close()
    found = [row for row in rows if row is not None]
    assert len({row[-1] for row in found}) == SESSIONS
    return {row[:-1] for row in found}


CLEAN = {("", 0, 0, 0, "off", "0")}


async def test_a_message_becomes_a_card_that_a_person_decides(ordinary_url: str, tmp_path: Path) -> None:
    with pooled(ordinary_url) as url:
        settings = {"database_url": url, "database_direct_url": ordinary_url, "data_dir": tmp_path / "data"}
        async with open_installation({**settings, **UNHURRIED}) as opened:
            await opened.message_decided()
            assert await left_on_sessions(url) == CLEAN


async def test_many_at_once_share_few_sessions_and_each_has_its_limits(postgres_url: str, pooled_url: str) -> None:
    database = Database.open(pooled_url, direct=postgres_url)
    said = text("SELECT pg_backend_pid(), current_setting('lock_timeout'), current_setting('timezone'), :n")

    async def ask(number: int) -> tuple[object, ...]:
        reading = database.read() if number % 2 else database.write("probe", fence=UPKEEP)
        async with reading as uow:
            return tuple((await uow.session.execute(said, {"n": number})).one())

    try:
        answers = [row for _ in range(12) for row in await asyncio.gather(*map(ask, range(20)))]
    finally:
        await database.close()
    assert {row[1:3] for row in answers} == {("10s", "UTC")}
    assert 1 < len({row[0] for row in answers}) <= SESSIONS
    assert await left_on_sessions(pooled_url) == CLEAN


async def test_what_belongs_to_a_session_goes_past_the_pooler(postgres_url: str, pooled_url: str) -> None:
    waiting, writing = (Database.open(pooled_url, direct=postgres_url) for _ in range(2))
    try:
        assert await waiting.committed.wait(10)  # LISTEN has begun, and its own hint is used up
        assert not await waiting.committed.wait(0.1)
        heard = asyncio.create_task(waiting.committed.wait(10))
        async with waiting.turn("probe") as still_mine:
            await still_mine()
            async with writing.write("told", fence=UPKEEP) as uow:
                await uow.session.execute(text("SELECT pg_notify('support_outbox', '')"))
            assert await heard
            assert await left_on_sessions(pooled_url) == CLEAN
    finally:
        await waiting.close()
        await writing.close()


async def test_without_the_direct_address_the_pooler_refuses_and_nothing_is_left_on_a_session(pooled_url: str) -> None:
    database = Database.open(pooled_url)
    try:
        with pytest.raises(SupportError) as caught:
            async with database.read():
                pass
        assert caught.value.code == "database_unavailable"
    finally:
        await database.close()


async def test_a_setting_that_stays_would_be_found(pooled_url: str) -> None:
    conninfo = make_url(pooled_url).set(drivername="postgresql").render_as_string(hide_password=False)
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
        await connection.execute("SET app.across = 'upkeep'")
    assert await left_on_sessions(pooled_url) != CLEAN
