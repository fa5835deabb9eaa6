"""Takes hinted events by compare-and-set on their rows and holds them while they are handled; it trusts no hint."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import timedelta

from api.worker.dispatcher import Dispatcher
from api.worker.hints import Hint
from api.worker.survival import survived
from db.engine import Database
from db.fences import DISPATCH
from support_agents.domain.events import OutboxEvent
from support_agents.domain.ids import OutboxId

# So many renewals may fail or be late before the lease lapses.
_RENEWALS = 3
_LOOK_SECONDS = 0.02


@dataclass
class Taker:
    """One of a worker process; a repeated, late or invented hint finds its attempt gone and does nothing."""

    database: Database
    dispatcher: Dispatcher
    lease: timedelta
    _held: dict[OutboxId, int] = field(default_factory=dict, init=False)

    async def take(self, hint: Hint) -> None:
        """Handle the event if this attempt at it is still to be had; cancelled, it gives the event back at once."""
        taken: list[OutboxEvent] = []
        # An event that is being handled here goes on, whatever became of its lease.
        if hint.event in self._held or await survived("take", self._take(hint, taken)) or not taken:
            return
        event = taken[0]
        self._held[event.id] = event.attempts
        try:
            await self.dispatcher.dispatch(event)
        except asyncio.CancelledError:
            await asyncio.shield(survived("let_go", self._let_go(event)))
            raise
        finally:
            self._held.pop(event.id)

    async def run(self) -> None:
        """Renew the leases of what is held until cancelled; of a process that is killed they lapse."""
        while True:
            await asyncio.sleep(self.lease.total_seconds() / _RENEWALS)
            if self._held:
                await survived("renew", self._renew())

    async def drain(self, seconds: float) -> None:
        """Wait until nothing is held, at most so long."""
        until = time.monotonic() + seconds
        while self._held and time.monotonic() < until:  # noqa: ASYNC110 - asked for once, at the end
            await asyncio.sleep(_LOOK_SECONDS)

    async def _take(self, hint: Hint, into: list[OutboxEvent]) -> None:
        async with self.database.write("take", fence=DISPATCH) as uow:
            event = await uow.outbox.take(hint.event, attempts=hint.attempts, lease=self.lease)
        if event is not None:
            into.append(event)

    async def _renew(self) -> None:
        async with self.database.write("renew", fence=DISPATCH) as uow:
            await uow.outbox.renew(dict(self._held), lease=self.lease)

    async def _let_go(self, event: OutboxEvent) -> None:
        async with self.database.write("let_go", fence=DISPATCH) as uow:
            await uow.outbox.let_go({event.id: event.attempts})
