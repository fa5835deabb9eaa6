"""Units of work: durable or undone, in order, and never written by a reader."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InternalError, OperationalError

from db.engine import Database
from db.sqlite_driver import WriterConnection, writer_of
from db.uow import UnitOfWork
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE


async def rename(uow: UnitOfWork, name: str) -> None:
    await uow.session.execute(text("UPDATE workspaces SET name = :name"), {"name": name})


async def rename_and_fail(database: Database) -> None:
    async with database.write("rename") as uow:
        await rename(uow, "lost")
        raise ZeroDivisionError


async def name_in(database: Database) -> str:
    async with database.read() as uow:
        return (await uow.workspaces.get(DEFAULT_WORKSPACE)).name


async def test_a_clean_exit_commits_and_an_error_undoes(database: Database) -> None:
    async with database.write("rename") as uow:
        await rename(uow, "kept")
    with pytest.raises(ZeroDivisionError):
        await rename_and_fail(database)
    assert await name_in(database) == "kept"


async def test_the_clock_is_aware_and_in_utc(database: Database) -> None:
    async with database.read() as uow:
        now = await uow.now()
    assert now.utcoffset() is not None
    assert now.utcoffset().total_seconds() == 0  # type: ignore[union-attr] # asserted above


async def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises((SupportError, InternalError), match="read"):
        async with database.read() as uow:
            await rename(uow, "no")
    assert await name_in(database) == "default"


async def test_boundaries_surround_the_commit(database_url: str, open_database: Callable[..., Database]) -> None:
    seen: list[tuple[str, str]] = []
    database = open_database(database_url, boundary=lambda side, label: seen.append((side, label)))
    async with database.write("rename") as uow:
        await rename(uow, "seen")
        assert seen == []
    assert seen == [("before", "rename"), ("after", "rename")]


async def test_many_writers_all_get_through(database: Database) -> None:
    async def one(number: int) -> None:
        async with database.write("rename", urgent=number % 2 == 0) as uow:
            before = (await uow.workspaces.get(DEFAULT_WORKSPACE)).name if number < 0 else ""
            await rename(uow, f"{before}{number}")

    await asyncio.gather(*(one(number) for number in range(20)))
    assert (await name_in(database)).isdigit()


async def test_intake_and_cards_go_in_turn_before_what_waited_longer(
    sqlite_url: str, open_database: Callable[..., Database]
) -> None:
    database, order = open_database(sqlite_url), list[str]()

    async def unit(label: str, *, urgent: bool) -> None:
        async with database.write(label, urgent=urgent) as uow:
            order.append(label)
            await uow.now()

    async with database.write("holder"):
        labels = ("a", "intake", "b", "card", "intake")
        waiting = [asyncio.create_task(unit(label, urgent=len(label) > 1)) for label in labels]
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    assert order == ["intake", "card", "intake", "a", "b"]


async def test_a_cancelled_waiter_does_not_keep_the_turn(
    sqlite_url: str, open_database: Callable[..., Database]
) -> None:
    database = open_database(sqlite_url)

    async def unit() -> None:
        async with database.write("unit"):
            pass

    async with database.write("holder"):
        waiting = asyncio.create_task(unit())
        following = asyncio.create_task(unit())
        await asyncio.sleep(0)
        waiting.cancel()
    waiting.cancel()
    await asyncio.wait_for(following, 60)
    await asyncio.wait_for(unit(), 60)


async def test_a_unit_cancelled_at_work_is_undone(database: Database) -> None:
    entered = asyncio.Event()

    async def unit() -> None:
        async with database.write("unit") as uow:
            await rename(uow, "half")
            entered.set()
            await asyncio.sleep(30)

    task = asyncio.create_task(unit())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await name_in(database) == "default"
    async with database.write("unit") as uow:
        await rename(uow, "whole")
    assert await name_in(database) == "whole"


async def test_a_database_held_by_another_process_is_retryable(
    sqlite_url: str, open_database: Callable[..., Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.sqlite_driver.PATIENCE_MS", 50)
    path = sqlite_url.removeprefix("sqlite+aiosqlite:///")
    database = open_database(sqlite_url)
    await name_in(database)
    other = sqlite3.connect(path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(SupportError) as caught:
            async with database.write("blocked"):
                pass
    finally:
        other.close()
    assert (caught.value.code, caught.value.retryable) == ("database_unavailable", True)
    async with database.write("free again") as uow:
        await rename(uow, "free")


async def test_who_waits_for_another_process_keeps_nobody_else_waiting(
    sqlite_url: str, open_database: Callable[..., Database]
) -> None:
    database, done = open_database(sqlite_url), list[str]()
    assert await name_in(database) == "default"  # from here on the file has a write-ahead log
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite+aiosqlite:///"), isolation_level=None)

    async def unit() -> None:
        async with database.write("blocked") as uow:
            await rename(uow, "after")
        done.append("unit")

    try:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(unit())
        await name_in(database)  # the loop and its readers go on
        done.append("reader")
        other.execute("UPDATE workspaces SET name = 'before'")
        other.execute("COMMIT")
        await asyncio.wait_for(waiting, 60)
    finally:
        other.close()
    assert done == ["reader", "unit"]
    assert await name_in(database) == "after"


async def test_after_a_restart_of_the_server_nobody_is_handed_a_dead_connection(
    postgres_url: str, open_database: Callable[..., Database]
) -> None:
    database = open_database(postgres_url)
    assert await name_in(database) == "default"
    direct = make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(direct) as one:
        one.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    async with database.write("rename") as uow:
        await rename(uow, "afterwards")
    assert await name_in(database) == "afterwards"


async def test_sqlite_is_durable_and_enforces_keys(sqlite_url: str, open_database: Callable[..., Database]) -> None:
    database = open_database(sqlite_url)
    async with database.write("look") as uow:
        found = [
            (await uow.session.execute(text(f"PRAGMA {name}"))).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert found == ["wal", 2, 1]


async def test_who_writes_after_a_commit_that_failed_finds_no_open_transaction(
    sqlite_url: str, open_database: Callable[..., Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk, say: what was written is undone, and the file is free again for this process and all others."""
    database = open_database(sqlite_url)

    async def disk_is_full(_connection: WriterConnection) -> None:
        raise OperationalError("COMMIT", None, sqlite3.OperationalError("disk I/O error"))

    monkeypatch.setattr(WriterConnection, "end", disk_is_full)
    with pytest.raises(SupportError, match="disk I/O error"):
        async with database.write("rename") as uow:
            await rename(uow, "lost")
    monkeypatch.undo()
    with sqlite3.connect(str(make_url(sqlite_url).database), timeout=0) as other:
        other.execute("BEGIN IMMEDIATE")
        other.rollback()
    async with database.write("rename") as uow:
        assert (await uow.workspaces.get(DEFAULT_WORKSPACE)).name == "default"
        await rename(uow, "kept")
    assert await name_in(database) == "kept"


@pytest.mark.parametrize("closed", ["before", "within", "at its end"])
async def test_a_writer_that_was_closed_is_a_database_that_is_not_there_and_the_next_turn_has_another(
    sqlite_url: str, open_database: Callable[..., Database], closed: str
) -> None:
    """A process that ends while one still writes, say."""
    database = open_database(sqlite_url)
    async with database.write("look") as uow:
        connection = writer_of(uow.session._on)._connection

    async def write() -> None:
        async with database.write("rename") as uow:
            if closed != "before":
                await rename(uow, "lost")
                await connection.close()
            if closed == "within":
                await uow.outbox.next_due()

    if closed == "before":
        await connection.close()
    with pytest.raises(SupportError) as caught:
        await write()
    assert caught.value.code == "database_unavailable"
    async with database.write("rename") as uow:
        assert (await uow.workspaces.get(DEFAULT_WORKSPACE)).name == "default"


async def test_a_missing_database_cannot_be_reached(tmp_path: Path, open_database: Callable[..., Database]) -> None:
    database = open_database(f"sqlite+aiosqlite:///{tmp_path}/none/support.db")
    with pytest.raises(SupportError, match="unable to open"):
        async with database.read():
            pass


def test_only_two_kinds_of_database_exist() -> None:
    with pytest.raises(SupportError, match="no such kind"):
        Database.open("mysql+aiomysql://localhost/x")
