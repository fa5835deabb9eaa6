"""What both dispatchers promise: an event handed over is handled, tried again or given up, and once at a time."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from api.worker.broker import CeleryDispatcher
from api.worker.brokers import Broker
from api.worker.dispatcher import Dispatcher, InProcessDispatcher
from db.engine import Database
from support_agents.domain.events import EventName, OutboxEvent
from support_agents.domain.ids import DEFAULT_WORKSPACE, new_id
from tests.fixtures.brokers import broker_address, forget
from tests.peers.far_worker import LEASE, Hands, in_process

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

SECONDS = 120.0
ROOT = Path(__file__).parents[2]


@dataclass
class Adapter:
    """A dispatcher with the claim that belongs to it; its handler may be in another process."""

    database: Database
    dispatcher: Dispatcher
    hands: Hands

    async def one(self) -> OutboxEvent:
        async with self.database.write("test") as uow:
            await uow.outbox.add(EventName.TICKET_RECEIVED, new_id(), workspace=DEFAULT_WORKSPACE)
        [event] = await self.claimed()
        return event

    async def claimed(self) -> tuple[OutboxEvent, ...]:
        async with self.database.write("claim") as uow:
            if isinstance(self.dispatcher, InProcessDispatcher):
                return await uow.outbox.claim(limit=1, lease=LEASE)
            return await uow.outbox.claim_to_send(tuple(EventName), limit=1, lease=LEASE)

    async def row(self) -> tuple[object, ...]:
        query = "SELECT last_error, leased_until, done_at IS NULL AND buried_at IS NULL FROM outbox ORDER BY id"
        async with self.database.read() as uow:
            return tuple((await uow.session.execute(text(query))).first() or ())


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(SECONDS):
        while not await condition():  # noqa: ASYNC110 - another process is waited for
            await asyncio.sleep(0.05)


@asynccontextmanager
async def far_worker(database_url: str, broker: Broker, folder: Path) -> AsyncIterator[None]:
    words = ("-m", "tests.peers.far_worker", database_url, broker.url, broker.prefix, str(folder))
    process = await asyncio.to_thread(subprocess.Popen, [sys.executable, *words], cwd=ROOT)
    try:
        yield
    finally:
        process.terminate()
        code = await asyncio.to_thread(process.wait, 240)
        # One that is told to end while it still begins has not yet learnt to end in order, nor taken anything.
        assert code == 0 or (code == -signal.SIGTERM and not (folder / "seen").exists())


@pytest.fixture(params=["in-process", "redis", "rabbitmq"])
async def adapter(request: pytest.FixtureRequest, postgres_url: str, tmp_path: Path) -> AsyncIterator[Adapter]:
    """Each dispatcher on a PostgreSQL database of its own."""
    database = Database.open(postgres_url)
    hands = Hands(database, tmp_path)
    if request.param == "in-process":
        yield Adapter(database, in_process(database, hands), hands)
    else:
        url, prefix = broker_address(request.param), f"contract-{new_id().hex[-10:]}"
        broker = Broker(url, prefix, timedelta(seconds=60))
        dispatcher = CeleryDispatcher(broker)
        async with far_worker(postgres_url, broker, tmp_path):
            yield Adapter(database, dispatcher, hands)
        await dispatcher.close()
        await asyncio.to_thread(forget, url, prefix)
    await database.close()


async def test_an_event_is_handled_and_done(adapter: Adapter) -> None:
    await adapter.dispatcher.dispatch(await adapter.one())

    async def done() -> bool:
        return (await adapter.row())[2] is False

    await until(done)
    assert adapter.hands.seen == ["handle 1"]


async def test_a_failure_is_put_off_with_its_code_on_record_and_no_words_then_given_up(adapter: Adapter) -> None:
    (adapter.hands.folder / "failures").write_text("9")
    await adapter.dispatcher.dispatch(await adapter.one())

    async def put_off() -> bool:
        return (await adapter.row())[0] is not None

    await until(put_off)
    assert await adapter.row() == ("busy", None, True)
    again: list[OutboxEvent] = []

    async def due() -> bool:
        again.extend(await adapter.claimed())
        return bool(again)

    await until(due)
    await adapter.dispatcher.dispatch(again[0])

    async def buried() -> bool:
        return (await adapter.row())[2] is False

    await until(buried)
    assert adapter.hands.seen == ["handle 1", "handle 2", "give up busy"]


async def test_what_a_broker_tells_five_times_is_handled_once(adapter: Adapter) -> None:
    if isinstance(adapter.dispatcher, InProcessDispatcher):
        pytest.skip("in one process nothing is told twice: the claim is the call")
    event = await adapter.one()
    for _ in range(5):
        await adapter.dispatcher.dispatch(event)
    await adapter.dispatcher.dispatch(await adapter.one())

    async def both() -> bool:
        return len(adapter.hands.seen) == 2

    await until(both)
    await asyncio.sleep(0.5)
    assert adapter.hands.seen == ["handle 1", "handle 1"]
