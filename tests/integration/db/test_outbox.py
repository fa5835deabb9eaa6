"""Claims, leases and the waking of the relay, on both databases."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from db.engine import Database
from db.wakeup import ListeningWakeup
from support_agents.domain.events import EventName, OutboxEvent
from support_agents.domain.ids import DEFAULT_WORKSPACE, new_id

MINUTE = timedelta(minutes=1)


async def add(database: Database, count: int = 1) -> None:
    async with database.write("add") as uow:
        for _ in range(count):
            await uow.outbox.add(EventName.REQUEST_CHANGED, new_id(), workspace=DEFAULT_WORKSPACE)


async def add_and_fail(database: Database) -> None:
    async with database.write("fails") as uow:
        await uow.outbox.add(EventName.REQUEST_CHANGED, new_id(), workspace=DEFAULT_WORKSPACE)
        raise ZeroDivisionError


async def claim(database: Database, lease: timedelta = MINUTE, limit: int = 10) -> tuple[OutboxEvent, ...]:
    async with database.write("claim") as uow:
        return await uow.outbox.claim(limit=limit, lease=lease)


async def test_two_claimers_share_and_never_both_get_one(database: Database) -> None:
    await add(database, 10)
    claims = await asyncio.gather(*(claim(database, limit=4) for _ in range(4)))
    ids = [event.id for events in claims for event in events]
    assert len(ids) == len(set(ids))
    rest = await claim(database)
    assert len(ids) + len(rest) == 10


async def test_a_lapsed_lease_frees_the_event(database: Database) -> None:
    await add(database)
    (first,) = await claim(database, lease=timedelta(0))
    (again,) = await claim(database)
    assert (again.id, first.attempts, again.attempts) == (first.id, 1, 2)
    assert await claim(database) == ()


async def test_what_is_not_due_waits(database: Database) -> None:
    async with database.write("add") as uow:
        later = await uow.now() + MINUTE
        await uow.outbox.add(EventName.EXECUTION_DUE, new_id(), workspace=DEFAULT_WORKSPACE, not_before=later)
        assert await uow.outbox.next_due() == later
    assert await claim(database) == ()


async def test_next_due_is_when_the_lease_lapses(database: Database) -> None:
    async with database.read() as uow:
        assert await uow.outbox.next_due() is None
    await add(database)
    await claim(database)
    async with database.read() as uow:
        due, now = await uow.outbox.next_due(), await uow.now()
    assert due is not None
    assert timedelta(seconds=50) < due - now <= MINUTE


@pytest.mark.parametrize("end", ["done", "bury"])
async def test_done_and_buried_events_are_claimed_no_more(database: Database, end: str) -> None:
    await add(database)
    (event,) = await claim(database, lease=timedelta(0))
    async with database.write("end") as uow:
        await (uow.outbox.done(event.id) if end == "done" else uow.outbox.bury(event.id, "timeout"))
        assert not await uow.outbox.is_waiting(event.id)
    assert await claim(database) == ()


async def test_a_retry_gives_the_lease_back(database: Database) -> None:
    await add(database)
    (event,) = await claim(database)
    async with database.write("retry") as uow:
        await uow.outbox.retry(event.id, at=await uow.now(), error="timeout")
    assert [again.id for again in await claim(database)] == [event.id]


async def test_a_clock_that_went_back_is_noticed(database: Database) -> None:
    await add(database)
    async with database.read() as uow:
        assert not await uow.outbox.clock_went_back()
        assert await uow.outbox.clock_went_back(tolerance=-MINUTE)


async def test_only_a_commit_that_added_rows_wakes(database: Database) -> None:
    if isinstance(database.committed, ListeningWakeup):
        assert await database.committed.wait(60)  # begins to listen, and wakes once for what came before
    async with database.write("nothing") as uow:
        await uow.now()
    assert not await database.committed.wait(0.05)
    with pytest.raises(ZeroDivisionError):
        await add_and_fail(database)
    assert not await database.committed.wait(0.05)
    await add(database)
    assert await database.committed.wait(60)


@pytest.mark.postgres
async def test_another_process_is_woken_too(postgres_url: str, open_database: Callable[[str], Database]) -> None:
    here, there = open_database(postgres_url), open_database(postgres_url)
    assert await there.committed.wait(60)  # begins to listen, and wakes once for what came before
    waiting = asyncio.create_task(there.committed.wait(60))
    await add(here)
    assert await waiting
