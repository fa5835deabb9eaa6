"""Where a claimed event is handled: here in this process, or elsewhere through a broker; it decides nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from support_agents.domain.events import EventName, OutboxEvent


class Dispatcher(Protocol):
    """Takes one claimed event; the outbox row stays the truth, so losing the event here loses nothing."""

    async def dispatch(self, event: OutboxEvent) -> None:
        """Return when the event is handled or handed on; raise, and the relay tries again later."""
        ...

    async def give_up(self, event: OutboxEvent, code: str) -> None:
        """Bury an event that failed too often."""
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
    """The embedded default: one process, the outbox as the durable queue."""

    handlers: Mapping[EventName, Handler]

    async def dispatch(self, event: OutboxEvent) -> None:
        """Handle the event to its end."""
        await self.handlers[event.name].handle(event)

    async def give_up(self, event: OutboxEvent, code: str) -> None:
        """Bury the event as its handler does it."""
        await self.handlers[event.name].give_up(event, code)
