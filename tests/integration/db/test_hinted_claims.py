"""Rows that a broker tells of: leased without an attempt, taken once, held, let go; and turns between processes."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from db.engine import Database
from support_agents.domain.events import EventName, OutboxEvent
from support_agents.domain.ids import DEFAULT_WORKSPACE, OutboxId, new_id

LEASE, NONE = timedelta(seconds=30), timedelta(0)
ALL = tuple(EventName)


async def add(database: Database, name: EventName = EventName.TICKET_RECEIVED) -> OutboxId:
    async with database.write("test") as uow:
        return await uow.outbox.add(name, new_id(), workspace=DEFAULT_WORKSPACE)


async def told(
    database: Database, *, names: tuple[EventName, ...] = ALL, lease: timedelta = LEASE, late: timedelta = NONE
) -> list[tuple[OutboxId, int]]:
    async with database.write("test") as uow:
        found = await uow.outbox.claim_to_send(names, limit=10, lease=lease, late=late)
    return [(event.id, event.attempts) for event in found]


async def take(database: Database, event: OutboxId, attempts: int = 0, lease: timedelta = LEASE) -> OutboxEvent | None:
    async with database.write("test") as uow:
        return await uow.outbox.take(event, attempts=attempts, lease=lease)


async def test_telling_counts_no_attempt_and_is_not_repeated_while_the_lease_holds(database: Database) -> None:
    event = await add(database)
    assert await told(database) == [(event, 0)]
    assert await told(database) == []


async def test_what_nobody_took_is_told_again_in_the_same_attempt(database: Database) -> None:
    event = await add(database)
    for _ in range(8):  # more often than an event is tried
        assert await told(database, lease=NONE) == [(event, 0)]


async def test_an_attempt_is_taken_once(database: Database) -> None:
    event = await add(database)
    taken = await take(database, event)
    assert taken is not None
    assert (taken.id, taken.attempts) == (event, 1)
    assert await take(database, event) is None
    assert await take(database, event, attempts=7) is None
    assert await take(database, OutboxId(new_id())) is None


async def test_of_many_who_take_at_once_one_has_it(database: Database) -> None:
    event = await add(database)
    found = await asyncio.gather(*(take(database, event) for _ in range(8)))
    assert sum(one is not None for one in found) == 1


async def test_a_dead_takers_event_is_told_for_its_next_attempt(database: Database) -> None:
    event = await add(database)
    await take(database, event, lease=NONE)
    assert await told(database) == [(event, 1)]


async def test_a_renewed_lease_holds_and_another_attempts_does_not_change(database: Database) -> None:
    event = await add(database)
    await take(database, event, lease=NONE)
    async with database.write("test") as uow:
        await uow.outbox.renew({event: 5}, lease=LEASE)
    assert await told(database, lease=NONE) == [(event, 1)]
    async with database.write("test") as uow:
        await uow.outbox.renew({event: 1}, lease=LEASE)
    assert await told(database) == []


async def test_what_is_let_go_is_told_at_once(database: Database) -> None:
    event = await add(database)
    await take(database, event)
    async with database.write("test") as uow:
        await uow.outbox.let_go({event: 1})
    assert await told(database) == [(event, 1)]


async def test_a_done_event_is_neither_told_nor_taken(database: Database) -> None:
    event = await add(database)
    async with database.write("test") as uow:
        await uow.outbox.done(event)
    assert await told(database) == []
    assert await take(database, event) is None


async def test_kinds_without_room_are_passed_over(database: Database) -> None:
    await add(database)
    action = await add(database, EventName.EXECUTION_DUE)
    assert await told(database, names=(EventName.EXECUTION_DUE,)) == [(action, 0)]


async def test_a_sweep_leaves_what_has_only_just_fallen_due(database: Database) -> None:
    event = await add(database)
    assert await told(database, late=timedelta(seconds=30)) == []
    await asyncio.sleep(0.2)
    assert await told(database, late=timedelta(seconds=0.1)) == [(event, 0)]


@pytest.mark.postgres
async def test_articles_that_one_process_changed_are_told_to_the_others(
    postgres_url: str, open_database: Callable[[str], Database]
) -> None:
    here, there = open_database(postgres_url), open_database(postgres_url)
    assert await there.knowledge.wait(60)  # begins to listen, and wakes once for what came before
    await add(here)
    assert not await there.knowledge.wait(0.3)
    await add(here, EventName.KNOWLEDGE_CHANGED)
    assert await there.knowledge.wait(60)


@pytest.mark.postgres
async def test_a_turn_is_one_processs_and_passes_on(
    postgres_url: str, open_database: Callable[[str], Database]
) -> None:
    first, second = open_database(postgres_url), open_database(postgres_url)
    async with first.turn("test") as mine:
        await mine()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.2), second.turn("test"):
                pytest.fail("two have the turn")
        async with asyncio.timeout(60), second.turn("another"):
            pass
    async with asyncio.timeout(60), second.turn("test"):
        pass
