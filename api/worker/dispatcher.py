"""Where a claimed event is handled: here in this process, or elsewhere through a broker; it decides nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from api import logging
from api.worker.pace import Pace
from api.worker.survival import survived
from db import fences
from db.engine import Database
from support_agents.domain.events import EventName, OutboxEvent


class Dispatcher(Protocol):
    """Takes one claimed event; the outbox row stays the truth, so losing the event here loses nothing."""

    async def dispatch(self, event: OutboxEvent) -> None:
        """Return when the event is handled, put off, given up or handed on; raise when it could not be handed on."""
        ...


class Handler(Protocol):
    """Handles one kind of event, and marks it done in the transaction of its effect; safe to repeat."""

    async def handle(self, event: OutboxEvent) -> None:
        """Do what the event calls for."""
        ...

    async def give_up(self, event: OutboxEvent, code: str) -> None:
        """Bury the event where people see it, and tell them what it means; `code` says what failed last."""
        ...


@dataclass(frozen=True)
class InProcessDispatcher:
    """Handles events here: one that failed is tried again later, one that failed too often is given up in sight."""

    handlers: Mapping[EventName, Handler]
    database: Database
    pace: Pace

    async def dispatch(self, event: OutboxEvent) -> None:
        """Handle the event to its end, or put on record what became of it."""
        with logging.about_event(event), fences.behind(fences.of(event.workspace)):
            await self._dispatched(event)

    async def _dispatched(self, event: OutboxEvent) -> None:
        handler = self.handlers[event.name]
        failure: str | None = "process_lost"
        # Claimed so often without an end, it may be what kills the process: then it is not tried again.
        if event.attempts <= self.pace.most_attempts:
            failure = await survived(event.name, handler.handle(event))
        if failure is None:
            return
        if event.attempts >= self.pace.most_attempts:
            await survived("give_up", handler.give_up(event, failure))
            logging.get().error("event_buried", name=event.name, code=failure)
        else:
            await survived("retry", self._retry(event, failure))

    async def _retry(self, event: OutboxEvent, failure: str) -> None:
        async with self.database.write("retry") as uow:
            at = await uow.now() + self.pace.delay(event.attempts)
            await uow.outbox.retry(event.id, at=at, error=failure)
