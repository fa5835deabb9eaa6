"""Has committed events handled in this process: woken by commits, bounded and leased; it judges no failure."""

import asyncio

from api.worker.dispatcher import Dispatcher
from api.worker.outlook import Outlook
from api.worker.pace import Pace
from api.worker.survival import survived
from db.engine import Database
from db.fences import DISPATCH
from support_agents.domain.events import OutboxEvent
from support_agents.domain.ids import OutboxId

_SHORTEST_WAIT = 0.1  # a due row that someone else holds must not make this a busy loop


class Relay:
    """One relay of a process; while the clock is behind what was already seen of it, it claims nothing."""

    def __init__(self, database: Database, dispatcher: Dispatcher, pace: Pace) -> None:
        self._database = database
        self._dispatcher = dispatcher
        self._pace = pace
        self._under_way: dict[OutboxId, asyncio.Task[None]] = {}
        self._outlook = Outlook()

    @property
    def steady(self) -> bool:
        """Whether the clock could be trusted at the last look."""
        return self._outlook.steady

    async def run(self) -> None:
        """Claim and deliver until cancelled; deliveries under way are then left to `drain`."""
        while True:
            if len(self._under_way) >= self._pace.concurrency:
                await asyncio.wait(self._under_way.values(), return_when=asyncio.FIRST_COMPLETED)
            elif not await self._round() and not await self._database.committed.wait(0):
                await self._database.committed.wait(
                    self._outlook.seconds_to_next(least=_SHORTEST_WAIT, most=self._pace.poll_seconds)
                )

    async def drain(self, seconds: float) -> None:
        """Let what is under way end; cancel what has not after `seconds` – its lease lapses and it is resumed."""
        tasks = list(self._under_way.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _round(self) -> bool:
        """Claim once; return whether there may be more, so that a full batch is followed by the next at once."""
        claimed: list[OutboxEvent] = []
        room = self._pace.concurrency - len(self._under_way)
        if await survived("claim", self._claim(claimed, room)):
            await asyncio.sleep(self._pace.pause_seconds)
            return True
        for event in claimed:
            # A lease that lapsed under a delivery of ours was renewed by this claim: that delivery goes on.
            if event.id not in self._under_way:
                task = asyncio.create_task(self._deliver(event), name=f"{event.name}:{event.id}")
                self._under_way[event.id] = task
                task.add_done_callback(lambda _, done=event.id: self._under_way.pop(done))  # type: ignore[misc]
        return len(claimed) >= room

    async def _claim(self, into: list[OutboxEvent], room: int) -> None:
        async with self._database.write("claim", fence=DISPATCH) as uow:
            trusted = await self._outlook.trusts_clock(uow)
            found = await uow.outbox.claim(limit=room, lease=self._pace.lease) if trusted else ()
            if len(found) < room:
                await self._outlook.look_ahead(uow)
        into.extend(found)  # not before the commit: what was not committed is not ours

    async def _deliver(self, event: OutboxEvent) -> None:
        # Whatever the dispatcher did not survive is taken up again when the lease lapses.
        await survived(event.name, self._dispatcher.dispatch(event))
