"""On PostgreSQL statements go together: in order, all or none; what is wrong with one is said by the commit."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import psycopg
import pytest
from sqlalchemy import TextClause, bindparam, insert, select, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DataError, IntegrityError, InternalError

from db.base import table_of
from db.engine import Database
from db.made import made
from db.models.workspaces import WorkspaceRow
from db.trips import Command, Driver, Prepared, Rows, carry
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE

Open = Callable[..., Database]
WORKSPACES = table_of(WorkspaceRow)
RENAME = made(update(WORKSPACES).values(name=bindparam("new_name")))
AGAIN = made(insert(WORKSPACES))
NAME = made(select(WORKSPACES.c.name).where(WORKSPACES.c.id == bindparam("workspace")))
PLAIN_NAME = text("SELECT name FROM workspaces")
SLEEP = made(text("SELECT pg_sleep(:seconds)"))
TWICE = {"id": DEFAULT_WORKSPACE, "name": "second"}


@contextmanager
def trips(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[list[str]]]:
    """What was sent together, trip by trip, by its first word."""
    found: list[list[str]] = []

    async def noted(driver: Driver, commands: Sequence[Command], names: Prepared | None) -> list[Rows]:
        found.append([command.sql.decode().split()[0] for command in commands])
        return await carry(driver, commands, names)

    with monkeypatch.context() as patch:
        patch.setattr("db.transaction.carry", noted)
        yield found


async def name_in(database: Database) -> object:
    async with database.read() as uow:
        return (await uow.session.execute(NAME, {"workspace": DEFAULT_WORKSPACE})).scalar_one()


def end_sessions(url: str) -> None:
    direct = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(direct, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


async def test_what_nobody_waits_for_goes_along(
    postgres_url: str, open_database: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database(postgres_url)
    with trips(monkeypatch) as sent:
        async with database.write("three") as uow:
            assert (await uow.session.execute(NAME, {"workspace": DEFAULT_WORKSPACE})).scalar_one() == "default"
            await uow.session.later(RENAME, {"new_name": "first"})
            await uow.session.later(RENAME, {"new_name": "last"})
    assert sent == [["BEGIN", "SET", "SELECT"], ["UPDATE", "UPDATE", "COMMIT"]]
    assert await name_in(database) == "last"


async def test_a_commit_never_goes_with_the_begin_that_may_be_sent_again(
    postgres_url: str, open_database: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database(postgres_url)
    with trips(monkeypatch) as sent:
        async with database.write("one") as uow:
            await uow.session.later(RENAME, {"new_name": "kept"})
        async with database.write("nothing"):
            pass
    assert sent == [["BEGIN", "SET", "UPDATE"], ["COMMIT"]]
    assert await name_in(database) == "kept"


async def test_any_other_statement_comes_after_what_waits(postgres_url: str, open_database: Open) -> None:
    database = open_database(postgres_url)
    async with database.write("both ways") as uow:
        await uow.session.later(RENAME, {"new_name": "new"})
        assert (await uow.session.execute(PLAIN_NAME)).scalar_one() == "new"


async def test_what_the_database_refuses_is_said_at_the_commit_and_undoes_all(
    postgres_url: str, open_database: Open
) -> None:
    database = open_database(postgres_url)

    async def refused() -> None:
        async with database.write("refused") as uow:
            await uow.session.later(RENAME, {"new_name": "lost"})
            await uow.session.later(AGAIN, TWICE)
            await uow.session.later(RENAME, {"new_name": "lost, too"})

    with pytest.raises(IntegrityError, match="pk_workspaces"):
        await refused()
    assert await name_in(database) == "default"


async def test_it_is_said_at_the_next_question_where_there_is_one(postgres_url: str, open_database: Open) -> None:
    database, reached = open_database(postgres_url), list[str]()

    async def refused() -> None:
        async with database.write("refused") as uow:
            await uow.session.later(AGAIN, TWICE)
            await uow.session.execute(NAME, {"workspace": DEFAULT_WORKSPACE})
            reached.append("further")

    with pytest.raises(IntegrityError):
        await refused()
    assert reached == []
    assert await name_in(database) == "default"


async def test_a_transaction_that_lost_its_server_on_the_way_is_not_begun_again(
    postgres_url: str, open_database: Open
) -> None:
    database = open_database(postgres_url)

    async def lost() -> None:
        async with database.write("lost") as uow:
            await uow.session.execute(NAME, {"workspace": DEFAULT_WORKSPACE})
            await uow.session.later(RENAME, {"new_name": "lost"})
            await asyncio.to_thread(end_sessions, postgres_url)

    with pytest.raises(SupportError) as caught:
        await lost()
    assert (caught.value.code, caught.value.retryable) == ("database_unavailable", True)
    assert await name_in(database) == "default"


async def test_what_was_lost_before_the_first_answer_is_sent_again_whole(
    postgres_url: str, open_database: Open
) -> None:
    database = open_database(postgres_url)
    await asyncio.gather(*(name_in(database) for _ in range(4)))
    await asyncio.to_thread(end_sessions, postgres_url)
    async with database.write("after a restart") as uow:
        await uow.session.later(RENAME, {"new_name": "kept"})
    assert await name_in(database) == "kept"


async def test_a_session_that_forgot_its_statements_is_replaced(postgres_url: str, open_database: Open) -> None:
    database = open_database(postgres_url)

    async def forget() -> None:
        await name_in(database)
        async with database.write("forget") as uow:
            await uow.session.execute(text("DEALLOCATE ALL"))

    async def in_the_middle() -> None:
        async with database.write("asked") as uow:
            await uow.session.execute(PLAIN_NAME)
            await uow.session.execute(NAME, {"workspace": DEFAULT_WORKSPACE})

    await forget()
    assert await name_in(database) == "default"
    await forget()
    with pytest.raises(SupportError) as caught:
        await in_the_middle()
    assert caught.value.retryable
    await in_the_middle()


@pytest.mark.parametrize("at_once", [1, 4], ids=["one after the other", "all at once"])
async def test_no_unit_fails_because_a_table_changed_under_the_statements_of_many_connections(
    at_once: int, postgres_url: str, open_database: Open
) -> None:
    database = open_database(postgres_url)
    await on_their_own_connections(database, 4)
    await asyncio.to_thread(widen_name, postgres_url)
    for _ in range(4 // at_once):
        await on_their_own_connections(database, at_once)
    async with database.write("after") as uow:
        await uow.session.later(RENAME, {"new_name": "kept"})
    assert await name_in(database) == "kept"


async def on_their_own_connections(database: Database, many: int) -> None:
    """Have so many units ask the same at once, none giving its connection back before all have asked."""
    asked = asyncio.Barrier(many)

    async def ask() -> None:
        async with database.read() as uow:
            found = await uow.session.execute(NAME, {"workspace": DEFAULT_WORKSPACE})
            assert found.scalar_one() == "default"
            await asked.wait()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(many):
            tasks.create_task(ask())


def widen_name(url: str) -> None:
    direct = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(direct, autocommit=True) as connection:
        connection.execute("ALTER TABLE workspaces ALTER COLUMN name TYPE varchar(4711)")


async def test_who_is_cancelled_at_a_question_leaves_nothing_behind(postgres_url: str, open_database: Open) -> None:
    database, asking = open_database(postgres_url), asyncio.Event()

    async def slow() -> None:
        async with database.write("slow") as uow:
            await uow.session.later(RENAME, {"new_name": "half"})
            asking.set()
            await uow.session.execute(SLEEP, {"seconds": 600.0})

    task = asyncio.create_task(slow())
    await asking.wait()
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.write("free again") as uow:
        await uow.session.later(RENAME, {"new_name": "whole"})
    assert await name_in(database) == "whole"


async def test_a_value_that_cannot_be_stored_harms_no_other_unit(postgres_url: str, open_database: Open) -> None:
    database = open_database(postgres_url)

    async def nul() -> None:
        async with database.write("nul") as uow:
            await uow.session.later(RENAME, {"new_name": "lost"})
            await uow.session.execute(RENAME, {"new_name": "a\0b"})

    with pytest.raises(DataError, match="NUL"):
        await nul()
    assert await name_in(database) == "default"


@pytest.mark.parametrize(
    ("refused", "told"),
    [(text("SELECT 1 / 0"), "answered ROLLBACK"), (made(text("SELECT 2 / 0")), "cannot go on")],
    ids=["told by the server", "known here"],
)
async def test_what_failed_is_not_committed_though_the_error_was_swallowed(
    refused: TextClause, told: str, postgres_url: str, open_database: Open
) -> None:
    database = open_database(postgres_url)

    async def renamed_past_an_error() -> None:
        async with database.write("test") as uow:
            await uow.session.execute(RENAME, {"new_name": "lost"})
            with suppress(DataError):
                await uow.session.execute(refused)

    with pytest.raises((InternalError, RuntimeError), match=told):
        await renamed_past_an_error()
    assert await name_in(database) != "lost"
