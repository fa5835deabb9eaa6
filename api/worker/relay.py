"""Sends committed events on: woken by commits, bounded, leased, and after too many failures buried in plain sight."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from api import logging
from api.worker.dispatcher import Dispatcher
from api.worker.survival import survived
from db.engine import Database
from support_agents.domain.events import OutboxEvent
from support_agents.domain.ids import OutboxId

_SHORTEST_WAIT = 0.1  # a due row that someone else holds must not make this a busy loop


@dataclass(frozen=True)
class Pace:
    """How much at once, how long a claim holds, how often to look without being woken, and when to give up."""

    concurrency: int = 4
    lease: timedelta = timedelta(seconds=15)
    poll_seconds: float = 5.0
    pause_seconds: float = 1.0
    most_attempts: int = 5

    def delay(self, attempts: int) -> timedelta:
        """How long to wait after the `attempts`-th failure: 1, 4, 16, 64 … seconds, at most five minutes."""
        return timedelta(seconds=min(4.0 ** (attempts - 1), 300))


class Relay:
    """One relay of a process; while the clock is behind what was already seen of it, it claims nothing."""

    def __init__(self, database: Database, dispatcher: Dispatcher, pace: Pace) -> None:
        self._database = database
        self._dispatcher = dispatcher
        self._pace = pace
        self._under_way: dict[OutboxId, asyncio.Task[None]] = {}
        self._steady = True

    @property
    def steady(self) -> bool:
        """Whether the clock could be trusted at the last look."""
        return self._steady

    async def run(self) -> None:
        """Claim and deliver until cancelled; deliveries under way are then left to `drain`."""
        while True:
            if len(self._under_way) >= self._pace.concurrency:
                await asyncio.wait(self._under_way.values(), return_when=asyncio.FIRST_COMPLETED)
            elif not await self._round():
                await self._database.committed.wait(await self._seconds_to_next())

    async def drain(self, seconds: float) -> None:
        """Let what is under way end; cancel what has not after `seconds` – its lease lapses and it is resumed."""
        tasks = list(self._under_way.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _round(self) -> bool:
        """Claim once; return whether there was anything, so that a full batch is followed by the next at once."""
        claimed: list[OutboxEvent] = []
        if await survived("claim", self._claim(claimed)):
            await asyncio.sleep(self._pace.pause_seconds)
        for event in claimed:
            # A lease that lapsed under a delivery of ours was renewed by this claim: that delivery goes on.
            if event.id not in self._under_way:
                task = asyncio.create_task(self._deliver(event), name=f"{event.name}:{event.id}")
                self._under_way[event.id] = task
                task.add_done_callback(lambda _, done=event.id: self._under_way.pop(done))  # type: ignore[misc]
        return bool(claimed)

    async def _claim(self, into: list[OutboxEvent]) -> None:
        async with self._database.write("claim") as uow:
            self._steady = not await uow.outbox.clock_went_back()
            if self._steady:
                room = self._pace.concurrency - len(self._under_way)
                into.extend(await uow.outbox.claim(limit=room, lease=self._pace.lease))
        if not self._steady:
            logging.get().error("clock_went_back")

    async def _seconds_to_next(self) -> float:
        """Until the next row falls due, at most the safety net's interval."""
        due: list[float] = []
        await survived("next_due", self._due(due))
        return max(_SHORTEST_WAIT, min([self._pace.poll_seconds, *due]))

    async def _due(self, into: list[float]) -> None:
        async with self._database.read() as uow:
            at = await uow.outbox.next_due()
            if at is not None and self._steady:
                into.append((at - await uow.now()).total_seconds())

    async def _deliver(self, event: OutboxEvent) -> None:
        failure: str | None = "process_lost"
        # Claimed so often without an end, it may be what kills the process: then it is not tried again.
        if event.attempts <= self._pace.most_attempts:
            failure = await survived(event.name, self._dispatcher.dispatch(event))
        if failure is None:
            return
        if event.attempts >= self._pace.most_attempts:
            await survived("give_up", self._dispatcher.give_up(event, failure))
            logging.get().error("event_buried", outbox=str(event.id), name=event.name, code=failure)
        else:
            await survived("retry", self._retry(event, failure))

    async def _retry(self, event: OutboxEvent, failure: str) -> None:
        async with self._database.write("retry") as uow:
            at = await uow.now() + self._pace.delay(event.attempts)
            await uow.outbox.retry(event.id, at=at, error=failure)
