"""A relay before a broker: what it sends, when it holds back, and what becomes of events while the broker is away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import text

from api.worker.hints import QUEUE_OF, Queue
from api.worker.sending import Sender, SendingPace
from db.engine import Database
from support_agents.domain.errors import SupportError
from support_agents.domain.events import EventName, OutboxEvent
from support_agents.domain.ids import DEFAULT_WORKSPACE, OutboxId, new_id

PACE = SendingPace(queue_length=4, lease=timedelta(seconds=30), poll_seconds=0.2, pause_seconds=0.05)


@dataclass
class Wire:
    """A broker that nobody fetches from, and that can be away, or take nothing although it answers."""

    away: bool = False
    deaf: bool = False
    sent: list[OutboxEvent] = field(default_factory=list)

    async def dispatch(self, event: OutboxEvent) -> None:
        if self.away or self.deaf:
            raise SupportError("broker_unavailable", "away", retryable=True)
        self.sent.append(event)

    async def depth(self, queue: Queue) -> int:
        if self.away:
            raise SupportError("broker_unavailable", "away", retryable=True)
        return sum(QUEUE_OF[event.name] is queue for event in self.sent)


@asynccontextmanager
async def sending(database: Database, wire: Wire, pace: SendingPace = PACE) -> AsyncIterator[None]:
    task = asyncio.create_task(Sender(database, wire, pace).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def add(database: Database, *names: EventName) -> list[OutboxId]:
    async with database.write("test") as uow:
        return [await uow.outbox.add(name, new_id(), workspace=DEFAULT_WORKSPACE) for name in names]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(25):
        while not condition():  # noqa: ASYNC110 - many different things are waited for
            await asyncio.sleep(0.01)


async def test_a_commit_is_told_at_once_and_once(database: Database) -> None:
    wire = Wire()
    async with sending(database, wire):
        await asyncio.sleep(0.2)
        [event] = await add(database, EventName.TICKET_RECEIVED)
        await until(lambda: len(wire.sent) == 1)
        await asyncio.sleep(0.5)
    assert [(each.id, each.attempts) for each in wire.sent] == [(event, 0)]


async def test_runs_come_before_actions_and_these_before_the_rest(database: Database) -> None:
    wire = Wire()
    names = (EventName.KNOWLEDGE_CHANGED, EventName.EXECUTION_DUE, EventName.TICKET_RECEIVED)
    await add(database, *names)
    async with sending(database, wire):
        await until(lambda: len(wire.sent) == 3)
    assert [each.name for each in wire.sent] == list(reversed(names))


async def test_a_full_queue_holds_back_its_own_kind_only(database: Database) -> None:
    wire = Wire()
    wire.sent = [
        OutboxEvent(
            id=OutboxId(new_id()),
            workspace=DEFAULT_WORKSPACE,
            name=EventName.TICKET_RECEIVED,
            subject=new_id(),
            attempts=0,
        )
    ] * PACE.queue_length
    before = len(wire.sent)
    await add(database, EventName.TICKET_RECEIVED)
    [action] = await add(database, EventName.EXECUTION_DUE)
    async with sending(database, wire):
        await until(lambda: len(wire.sent) > before)
        await asyncio.sleep(0.3)
        assert [each.id for each in wire.sent[before:]] == [action]
        wire.sent.clear()  # workers have fetched
        await until(lambda: len(wire.sent) == 1)


async def test_while_the_broker_is_away_nothing_is_counted_held_or_buried(database: Database) -> None:
    wire = Wire(away=True)
    [event] = await add(database, EventName.TICKET_RECEIVED)
    async with sending(database, wire):
        await asyncio.sleep(0.8)
        async with database.read() as uow:
            row = (await uow.session.execute(text("SELECT attempts, buried_at FROM outbox"))).one()
        assert tuple(row) == (0, None)
        wire.away = False
        await until(lambda: len(wire.sent) == 1)
    assert wire.sent[0].id == event


async def test_a_broker_that_goes_away_in_between_gets_the_event_later(database: Database) -> None:
    wire = Wire(deaf=True)
    await add(database, EventName.TICKET_RECEIVED)
    async with sending(database, wire):
        await asyncio.sleep(0.4)
        wire.deaf = False
        await until(lambda: len(wire.sent) == 1)  # long before the lease of thirty seconds
