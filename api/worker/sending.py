"""Tells workers through a broker which events are due, and tells again until one has taken them; it handles none."""

import asyncio
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from api.worker.dispatcher import Dispatcher
from api.worker.hints import QUEUE_OF, Queue
from api.worker.outlook import Outlook
from api.worker.survival import survived
from db.engine import Database
from db.fences import DISPATCH
from support_agents.domain.events import EventName, OutboxEvent

_BATCH = 16
_SHORTEST_WAIT = 0.05  # events that wait for room in the broker must not make this a busy loop
_LOOK_SECONDS = 1.0
_ORDER = {queue: at for at, queue in enumerate(Queue)}


class BrokerDispatcher(Dispatcher, Protocol):
    """A dispatcher that can tell how much of what it handed on has not been fetched."""

    async def depth(self, queue: Queue) -> int:
        """How many hints wait in a queue; raise when the broker does not say."""
        ...


@dataclass(frozen=True)
class SendingPace:
    """How many hints may wait in a queue, how long one holds, and how often to look without being woken."""

    queue_length: int = 32
    lease: timedelta = timedelta(seconds=3)
    poll_seconds: float = 5.0
    pause_seconds: float = 1.0


class _Room:
    """How many more hints a queue takes: what was last seen of it less what was sent since."""

    def __init__(self, dispatcher: BrokerDispatcher, queue: Queue, length: int) -> None:
        self._dispatcher = dispatcher
        self._queue = queue
        self._length = length
        self._left = 0
        self._looked = float("-inf")

    async def left(self) -> int:
        """Return the room, asking the broker when little is left or the last look is long ago."""
        if self._left < _BATCH or time.monotonic() - self._looked > _LOOK_SECONDS:
            self._left = max(0, self._length - await self._dispatcher.depth(self._queue))
            self._looked = time.monotonic()
        return self._left

    def sent(self) -> None:
        """Count one."""
        self._left -= 1


class Sender:
    """Any number of these may run: rows locked by one are skipped by the others.

    The backlog stays in the table; the broker holds only as much as workers fetch in a moment. So a hint is seldom old
    when it is read, and telling again what nobody has taken cannot flood a broker whose workers are behind.
    """

    def __init__(self, database: Database, dispatcher: BrokerDispatcher, pace: SendingPace) -> None:
        self._database = database
        self._dispatcher = dispatcher
        self._pace = pace
        self._rooms = {queue: _Room(dispatcher, queue, pace.queue_length) for queue in Queue}
        self._outlook = Outlook()

    @property
    def steady(self) -> bool:
        """Whether the clock could be trusted at the last look."""
        return self._outlook.steady

    async def run(self) -> None:
        """Send until cancelled: woken by commits, and when the next row falls due."""
        while True:
            sent: list[OutboxEvent] = []
            if await survived("send", self._round(sent, timedelta(0))):
                await asyncio.sleep(self._pace.pause_seconds)
            elif not sent:
                await self._database.committed.wait(
                    self._outlook.seconds_to_next(least=_SHORTEST_WAIT, most=self._pace.poll_seconds)
                )

    async def sweep(self) -> None:
        """Send what has been due for as long as a hint holds: what relays that died or hang have left lying."""
        await self._round([], self._pace.lease)

    async def _round(self, sent: list[OutboxEvent], late: timedelta) -> None:
        open_to = [name for name, queue in QUEUE_OF.items() if await self._rooms[queue].left() > 0]
        claimed = await self._claim(open_to, late)
        claimed.sort(key=lambda event: _ORDER[QUEUE_OF[event.name]])
        try:
            for event in claimed:
                await self._dispatcher.dispatch(event)
                self._rooms[QUEUE_OF[event.name]].sent()
                sent.append(event)
        finally:
            if unsent := claimed[len(sent) :]:
                await survived("let_go", self._let_go(unsent))

    async def _claim(self, names: Collection[EventName], late: timedelta) -> list[OutboxEvent]:
        claimed: list[OutboxEvent] = []
        async with self._database.write("claim", fence=DISPATCH) as uow:
            if await self._outlook.trusts_clock(uow) and names:
                lease = self._pace.lease
                claimed += await uow.outbox.claim_to_send(names, limit=_BATCH, lease=lease, late=late)
            if not claimed:
                await self._outlook.look_ahead(uow)
        return claimed

    async def _let_go(self, events: Collection[OutboxEvent]) -> None:
        async with self._database.write("let_go", fence=DISPATCH) as uow:
            await uow.outbox.let_go({event.id: event.attempts for event in events})
