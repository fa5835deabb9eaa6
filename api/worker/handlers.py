"""What each event calls for: small, safe to repeat, done in the transaction of its effect; no thinking happens here."""

from dataclasses import dataclass
from typing import Protocol

from api import logging
from api.pressure import Pressure, PressureGauge
from api.worker.index_keeper import IndexKeeper
from approvals.execution import Executions
from approvals.inside_steps import InsideSteps
from approvals.notification import Notification
from approvals.queue import ApprovalQueue
from db.engine import Database
from db.interaction_log import InteractionLog, Stored
from db.ticket_store import Begun, TicketStore
from support_agents.domain.budget import Budget
from support_agents.domain.deadline import Deadline
from support_agents.domain.events import EventName, OutboxEvent
from support_agents.domain.ids import ExecutionId, TicketId
from support_agents.domain.runs import Run
from support_agents.ports import Clock
from support_agents.runner import TicketRunner


class FilesAwaited(Protocol):
    """Knows whether a ticket's files are being read."""

    async def wait(self, ticket: TicketId) -> None:
        """Return when they are, or when a run may wait no longer."""
        ...


GIVEN_UP = "the software failed on this ticket several times; please answer it by hand"


@dataclass(frozen=True)
class Timing:
    """The two seconds, and what a run gets that was resumed or has waited most of them away."""

    deadline_seconds: float
    resumed_seconds: float


@dataclass(frozen=True, kw_only=True)
class TicketReceivedHandler:
    """Runs the newest revision of a ticket through the pipeline, and puts record and requests in front of people.

    With `fuller_drafts`, what the deadline cut of a model's draft is written whole afterwards, by an event of its own.
    `files` are waited for, within the deadline, where customers' files are read.
    """

    database: Database
    tickets: TicketStore
    runner: TicketRunner
    log: InteractionLog
    queue: ApprovalQueue
    clock: Clock
    timing: Timing
    budget: Budget
    pressure: PressureGauge
    fuller_drafts: bool = False
    files: FilesAwaited | None = None

    async def handle(self, event: OutboxEvent) -> None:
        """C2, then the run outside any transaction, then C3: card ready."""
        if self.files is not None:
            await self.files.wait(TicketId(event.subject))
        with self.runner.pipeline.lane.beginning(self.clock.monotonic):
            begun = await self.tickets.begin_run(event)
        if begun is None:
            return
        deadline, late = self._deadline(begun)
        run = Run(
            id=begun.run_id,
            workspace=event.workspace,
            deadline=deadline,
            budget=self.budget,
            # Who has waited all of the time away gets the cheaper draft: a model's would make those behind late, too.
            hurried=self.pressure.level > Pressure.CALM or (late and not begun.resumed),
        )
        with logging.about(run=run.id):
            record = await self.runner.run(begun.ticket, run, resumed=late)
            # As urgent as intake, in turn with it: neither can keep the other waiting for long.
            async with self.database.write("card_ready", urgent=True) as uow:
                stored = await self.log.store(uow, record, attempt=begun.attempt)
                if stored is Stored.OK:
                    asked = await self.queue.submit(uow, record, begun.ticket)
                    if asked and self.fuller_drafts and record.was_cut:
                        await uow.outbox.add(EventName.FULLER_DRAFT_DUE, record.run_id, workspace=event.workspace)
            self.runner.ready(run)
            took = (record.finished_at - record.received_at).total_seconds()
            outcome = record.outcome if stored is Stored.OK else stored
            logging.get().info("run_finished", outcome=outcome, ms=round(took * 1_000), late=record.late)

    async def give_up(self, event: OutboxEvent, code: str) -> None:
        """Hand the ticket to people."""
        await self.tickets.give_up(event, error=code, reason=GIVEN_UP)

    def _deadline(self, begun: Begun) -> tuple[Deadline, bool]:
        """The rest of the two seconds; or a short deadline of its own, and then the run counts as late.

        A quarter of that is too little to draft in, as a rule, but not to hand off in time.
        """
        clock, timing = self.clock, self.timing
        rest = Deadline.since(
            begun.ticket.received_at, seconds=timing.deadline_seconds, wall=clock.now(), now=clock.monotonic
        )
        if not begun.resumed and rest.remaining >= min(timing.resumed_seconds, timing.deadline_seconds) / 4:
            return rest, False
        return Deadline(at=clock.monotonic() + timing.resumed_seconds, now=clock.monotonic), True


@dataclass(frozen=True)
class ExecutionDueHandler:
    """Carries out an approved action whose undo window is over; approvals owns it from the first commit on."""

    database: Database
    executions: Executions

    async def handle(self, event: OutboxEvent) -> None:
        """Carry it out."""
        await self.executions.carry_out(ExecutionId(event.subject))

    async def give_up(self, event: OutboxEvent, code: str) -> None:
        """Bury the event; the execution stays visible as it is."""
        await bury(self.database, event, code)


@dataclass(frozen=True)
class InsideStepDueHandler:
    """Carries out a reversible step inside the organisation, such as a note with a draft."""

    inside_steps: InsideSteps

    async def handle(self, event: OutboxEvent) -> None:
        """Carry it out."""
        await self.inside_steps.carry_out(event)

    async def give_up(self, event: OutboxEvent, code: str) -> None:
        """Bury the event and return the ticket to people."""
        await self.inside_steps.give_up(event, code)


@dataclass(frozen=True)
class KnowledgeChangedHandler:
    """Has the index brought up to date; the index keeper does it in its own time."""

    database: Database
    keeper: IndexKeeper

    async def handle(self, event: OutboxEvent) -> None:
        """Tell the keeper."""
        self.keeper.changed()
        async with self.database.write("knowledge_seen") as uow:
            await uow.outbox.done(event.id)

    async def give_up(self, event: OutboxEvent, code: str) -> None:
        """Bury the event; the keeper heals the index anyway."""
        await bury(self.database, event, code)


@dataclass(frozen=True)
class RequestChangedHandler:
    """Has a messenger's cards painted; the console reads requests afresh with every page and needs no notice."""

    database: Database
    notification: Notification | None

    async def handle(self, event: OutboxEvent) -> None:
        """Paint, or close the event where no messenger is connected any more."""
        if self.notification is not None:
            await self.notification.changed(event)
            return
        async with self.database.write("request_seen") as uow:
            await uow.outbox.done(event.id)

    async def give_up(self, event: OutboxEvent, code: str) -> None:
        """Bury the event."""
        await bury(self.database, event, code)


async def bury(database: Database, event: OutboxEvent, code: str) -> None:
    """Bury an event that no ticket depends on, on record."""
    async with database.write("bury") as uow:
        await uow.outbox.bury(event.id, code)
        await uow.audit.append(
            workspace=event.workspace,
            event="event_buried",
            subject=event.subject,
            actor="relay",
            data={"name": event.name, "error": code},
        )
