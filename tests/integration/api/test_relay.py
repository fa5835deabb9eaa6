"""The relay on real databases: delivery, retries, burial, leases, bounds, and a clock that goes back."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text, update

from api.worker.dispatcher import InProcessDispatcher
from api.worker.pace import Pace
from api.worker.relay import Relay
from db.engine import Database
from db.repositories.outbox import ROWS as OUTBOX
from support_agents.domain.errors import SupportError
from support_agents.domain.events import EventName, OutboxEvent
from support_agents.domain.ids import DEFAULT_WORKSPACE, OutboxId, new_id

PACE = Pace(concurrency=2, lease=timedelta(seconds=10), poll_seconds=0.5, pause_seconds=0.05, most_attempts=3)


class Hands:
    """A handler that does as told and marks done as handlers do."""

    def __init__(self, database: Database, work: Callable[[OutboxEvent], object] = lambda _: None) -> None:
        self.database = database
        self.work = work
        self.seen: list[OutboxEvent] = []
        self.given_up: list[tuple[OutboxId, str]] = []
        self.at_once = 0
        self.most_at_once = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def handle(self, event: OutboxEvent) -> None:
        self.seen.append(event)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.gate.wait()
            self.work(event)
        finally:
            self.at_once -= 1
        async with self.database.write("test_done") as uow:
            await uow.outbox.done(event.id)

    async def give_up(self, event: OutboxEvent, code: str) -> None:
        self.given_up.append((event.id, code))
        async with self.database.write("test_bury") as uow:
            await uow.outbox.bury(event.id, code)


def relay_of(database: Database, hands: Hands, pace: Pace) -> Relay:
    return Relay(database, InProcessDispatcher({EventName.TICKET_RECEIVED: hands}, database, pace), pace)


@asynccontextmanager
async def running(database: Database, hands: Hands, pace: Pace = PACE) -> AsyncIterator[Relay]:
    relay = relay_of(database, hands, pace)
    task = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        hands.gate.set()
        await relay.drain(2)


async def add(database: Database, count: int = 1) -> list[UUID]:
    async with database.write("test") as uow:
        return [
            await uow.outbox.add(EventName.TICKET_RECEIVED, new_id(), workspace=DEFAULT_WORKSPACE) for _ in range(count)
        ]


async def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - many different things are waited for
            await asyncio.sleep(0.01)


async def waiting(database: Database, event: UUID) -> bool:
    async with database.read() as uow:
        return await uow.outbox.is_waiting(OutboxId(event))


async def over(database: Database, event: UUID) -> None:
    """Wait until an event is done or buried."""
    async with asyncio.timeout(30):
        while await waiting(database, event):  # noqa: ASYNC110 - a commit of the relay's own is not told
            await asyncio.sleep(0.01)


async def last_error(database: Database) -> str | None:
    """The code of the last failure of the one event."""
    async with database.read() as uow:
        found: str | None = (await uow.session.execute(text("SELECT last_error FROM outbox"))).scalar_one()
        return found


async def test_a_commit_wakes_the_relay_at_once(database: Database) -> None:
    hands = Hands(database)
    async with running(database, hands, Pace(poll_seconds=60)):
        await asyncio.sleep(0.3)
        await add(database)
        await until(lambda: len(hands.seen) == 1)  # long before it would look by itself


async def test_what_was_there_before_the_start_is_delivered_once_each(database: Database) -> None:
    events = await add(database, 7)
    hands = Hands(database)
    async with running(database, hands):
        await until(lambda: len(hands.seen) == 7)
        await asyncio.sleep(0.7)
    assert sorted(event.id for event in hands.seen) == sorted(events)


async def test_what_one_claim_has_taken_is_not_looked_for_again(
    open_database: Callable[..., Database], sqlite_url: str
) -> None:
    claims: list[str] = []
    database = open_database(
        sqlite_url, lambda side, label: claims.append(label) if side + label == "afterclaim" else None
    )
    hands = Hands(database)
    async with running(database, hands, Pace(poll_seconds=60)):
        await asyncio.sleep(0.3)
        await until(lambda: len(claims) == 1)
        [event] = await add(database)
        await over(database, event)
        await asyncio.sleep(0.3)
    assert len(claims) == 2


async def test_no_more_than_the_bound_at_once(database: Database) -> None:
    await add(database, 6)
    hands = Hands(database)
    hands.gate.clear()
    async with running(database, hands):
        await until(lambda: hands.at_once == 2)
        await asyncio.sleep(0.2)
        assert hands.at_once == 2
        hands.gate.set()
        await until(lambda: len(hands.seen) == 6)
    assert hands.most_at_once == 2


async def test_a_failure_is_tried_again_later_with_its_code_on_record(database: Database) -> None:
    [event] = await add(database)

    def fail_once(event: OutboxEvent) -> None:
        if event.attempts == 1:
            raise SupportError("busy", "secret words of a customer", retryable=True)

    hands = Hands(database, fail_once)
    async with running(database, hands):
        await until(lambda: len(hands.seen) == 1)
        hands.gate.clear()  # holds the second attempt, however soon it comes
        async with asyncio.timeout(30):
            while await last_error(database) is None:  # noqa: ASYNC110 - the first attempt's end is not told
                await asyncio.sleep(0.01)
        assert await last_error(database) == "busy"
        assert await waiting(database, event)
        hands.gate.set()
        await over(database, event)
    assert len(hands.seen) == 2


async def test_after_n_attempts_it_is_given_up_and_never_tried_again(database: Database) -> None:
    [event] = await add(database)

    def fail(_: OutboxEvent) -> None:
        raise ValueError("anything")

    hands = Hands(database, fail)
    pace = Pace(poll_seconds=0.5, most_attempts=2)
    async with running(database, hands, pace):
        await over(database, event)
        await asyncio.sleep(0.5)
    assert [attempt.attempts for attempt in hands.seen] == [1, 2]
    assert hands.given_up == [(event, "ValueError")]


async def test_an_event_that_keeps_killing_the_process_is_given_up_unseen(database: Database) -> None:
    [event] = await add(database)
    for _ in range(3):
        async with database.write("claim") as uow:
            assert await uow.outbox.claim(limit=1, lease=timedelta(0))
    hands = Hands(database)
    async with running(database, hands):
        await until(lambda: bool(hands.given_up))
    assert hands.seen == []
    assert hands.given_up == [(event, "process_lost")]


async def test_a_lease_that_lapses_under_a_long_delivery_does_not_start_a_second_one(database: Database) -> None:
    await add(database)
    hands = Hands(database)
    hands.gate.clear()
    pace = Pace(concurrency=4, lease=timedelta(milliseconds=200), poll_seconds=0.2, most_attempts=50)
    async with running(database, hands, pace):
        await until(lambda: len(hands.seen) == 1)
        await asyncio.sleep(1)
        hands.gate.set()
        await until(lambda: hands.at_once == 0)
    assert len(hands.seen) == 1


async def test_a_dead_workers_event_is_taken_up_when_its_lease_is_over(database: Database) -> None:
    await add(database)
    async with database.write("claim") as uow:
        await uow.outbox.claim(limit=1, lease=timedelta(milliseconds=600))
    hands = Hands(database)
    async with running(database, hands, Pace(poll_seconds=60)):
        await until(lambda: len(hands.seen) == 1)  # long before it would look by itself
    assert hands.seen[0].attempts == 2


async def test_two_relays_never_deliver_the_same_event(database: Database) -> None:
    await add(database, 20)
    first, second = Hands(database), Hands(database)
    async with running(database, first), running(database, second):
        await until(lambda: len(first.seen) + len(second.seen) == 20)
        await asyncio.sleep(0.2)
    assert len({event.id for event in (*first.seen, *second.seen)}) == 20


async def test_dispatch_stops_while_the_clock_is_behind_what_it_has_shown(database: Database) -> None:
    [event] = await add(database)
    async with database.write("test") as uow:
        made = update(OUTBOX).values(created_at=datetime(2999, 1, 1, tzinfo=UTC))
        await uow.session.execute(made)
    hands = Hands(database)
    async with running(database, hands) as relay:
        await until(lambda: not relay.steady)
        await asyncio.sleep(0.3)
        assert hands.seen == []
        assert await waiting(database, event)


async def test_the_wait_after_a_failure_grows_to_a_limit() -> None:
    pace = Pace()
    waits = [pace.delay(attempt).total_seconds() for attempt in range(1, 8)]
    assert waits == [1, 4, 16, 64, 256, 300, 300]


@pytest.mark.parametrize("count", [1, 3])
async def test_draining_cancels_what_does_not_end(database: Database, count: int) -> None:
    await add(database, count)
    hands = Hands(database)
    hands.gate.clear()
    relay = relay_of(database, hands, Pace(concurrency=3))
    task = asyncio.create_task(relay.run())
    await until(lambda: hands.at_once == count)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await relay.drain(0.1)
    assert hands.at_once == 0


async def test_what_was_claimed_and_not_committed_is_not_delivered(
    database_url: str, open_database: Callable[..., Database]
) -> None:
    def lost(side: str, label: str) -> None:
        if (side, label) == ("before", "claim"):
            raise SupportError("database_unavailable", "the connection was lost", retryable=True)

    database = open_database(database_url, lost)
    hands = Hands(database)
    await add(database)
    relay = relay_of(database, hands, PACE)
    await relay._round()
    await relay.drain(2)
    assert hands.seen == []
