"""Messages from their arrival to their committed card, as the embedded server handles them, but without HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from api.asking import Question
from api.container import Container
from api.worker.assembly import at_once_alone
from api.worker.dispatcher import Handler, InProcessDispatcher
from api.worker.handlers import KnowledgeChangedHandler, TicketReceivedHandler, Timing
from api.worker.pace import Pace
from api.worker.relay import Relay
from db.interaction_log import InteractionLog
from support_agents.domain.budget import Budget
from support_agents.domain.events import EventName, OutboxEvent
from support_agents.domain.ids import TicketId, WorkspaceId, new_id
from support_agents.domain.runs import Run, RunRecord
from support_agents.domain.ticket import Author, EventKind, InboundMessage, Message, TicketFacts, TicketSnapshot
from support_agents.pipeline import Pipeline
from support_agents.runner import TicketRunner


@dataclass
class _Cards:
    """Who waits for the card of which ticket, and the records that are not yet committed."""

    waiting: dict[TicketId, "asyncio.Future[RunRecord]"] = field(default_factory=dict)
    records: dict[TicketId, RunRecord] = field(default_factory=dict)

    def of(self, ticket: TicketId) -> "asyncio.Future[RunRecord]":
        return self.waiting.setdefault(ticket, asyncio.get_running_loop().create_future())


@dataclass(frozen=True, kw_only=True)
class _Heard(TicketRunner):
    """The runner, whose records the benchmark reads as they are made."""

    cards: _Cards

    async def run(self, ticket: TicketSnapshot, run: Run, *, resumed: bool = False) -> RunRecord:
        record = await super().run(ticket, run, resumed=resumed)
        self.cards.records[ticket.id] = record
        return record


@dataclass(frozen=True)
class _Told:
    """The handler, of which the benchmark learns when it has committed."""

    handler: TicketReceivedHandler
    cards: _Cards

    async def handle(self, event: OutboxEvent) -> None:
        await self.handler.handle(event)
        ticket = TicketId(event.subject)
        self.cards.of(ticket).set_result(self.cards.records.pop(ticket))

    async def give_up(self, event: OutboxEvent, code: str) -> None:
        await self.handler.give_up(event, code)
        self.cards.of(TicketId(event.subject)).set_exception(RuntimeError(code))


@dataclass(frozen=True)
class Desk:
    """Takes messages as an intake would, once they are verified and parsed."""

    container: Container
    relay: Relay
    cards: _Cards

    async def ask(self, question: Question, workspace: WorkspaceId) -> RunRecord:
        """Store a message on a ticket of its own, and return its run's record when that is committed."""
        return await (await self.store(question, workspace))

    async def store(self, question: Question, workspace: WorkspaceId) -> "asyncio.Future[RunRecord]":
        """Store it, and return what will have the record."""
        inbound = _inbound(question, workspace, self.container.clock.now())
        received = await self.container.ticket_store.receive(inbound, inbound.event_key.encode())
        card = self.cards.of(received.ticket_id)
        card.add_done_callback(lambda _: self.cards.waiting.pop(received.ticket_id))
        return card

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Have stored messages handled until left."""
        task = asyncio.create_task(self.relay.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.relay.drain(5)


def _inbound(question: Question, workspace: WorkspaceId, now: datetime) -> InboundMessage:
    key = str(new_id())
    return InboundMessage(
        workspace=workspace,
        source="standard",
        kind=EventKind.MESSAGE_CREATED,
        event_key=key,
        occurred_at=now,
        received_at=now,
        ticket=TicketFacts(
            external_id=key, subject=question.subject, requester=question.requester, channel=question.channel
        ),
        message=Message(
            external_id=key,
            text=question.text,
            author=Author.CUSTOMER,
            created_at=now,
            attachments=question.attachments,
        ),
    )


def desk_of(container: Container, pipeline: Pipeline | None = None) -> Desk:
    """Return the desk of an opened installation, or of one whose pipeline is another; nothing works there yet."""
    settings, cards, runner = container.settings, _Cards(), container.runner
    heard = _Heard(
        pipeline=pipeline or runner.pipeline,
        interaction_log=runner.interaction_log,
        clock=runner.clock,
        outliers=runner.outliers,
        cards=cards,
    )
    handler = TicketReceivedHandler(
        database=container.database,
        tickets=container.ticket_store,
        runner=heard,
        log=InteractionLog(),
        queue=container.queue,
        clock=container.clock,
        timing=Timing(settings.deadline_seconds, settings.resumed_seconds),
        budget=Budget(),
        pressure=container.admission.pressure,
    )
    handlers: dict[EventName, Handler] = {
        EventName.TICKET_RECEIVED: _Told(handler, cards),
        EventName.KNOWLEDGE_CHANGED: KnowledgeChangedHandler(container.database, container.keeper),
    }
    pace = Pace(concurrency=at_once_alone(settings), lease=timedelta(seconds=settings.lease_seconds))
    return Desk(
        container,
        Relay(container.database, InProcessDispatcher(handlers, container.database, pace), pace),
        cards,
    )


@asynccontextmanager
async def desk(container: Container) -> AsyncIterator[Desk]:
    """Have an opened installation work until left."""
    found = desk_of(container)
    async with found.working():
        yield found
