"""Has a model write whole what a run's deadline cut, while nobody waits; it proposes nothing and changes no draft."""

from dataclasses import dataclass, field
from datetime import timedelta

from api import logging
from api.pressure import Pressure, PressureGauge
from api.worker.handlers import bury
from db.engine import Database
from db.interaction_log import InteractionLog, Stored
from db.ticket_store import seen
from db.uow import UnitOfWork
from support_agents.domain.action import ActionKind
from support_agents.domain.approval import RequestStatus
from support_agents.domain.budget import Budget
from support_agents.domain.deadline import Deadline
from support_agents.domain.events import OutboxEvent
from support_agents.domain.ids import RequestId, RunId, TicketId, new_id
from support_agents.domain.runs import Run, RunRecord
from support_agents.domain.ticket import TicketSnapshot
from support_agents.ports import Clock
from support_agents.runner import TicketRunner

# So many at once in a process: streams are for customers who wait.
AT_ONCE = 2
_LATER = timedelta(seconds=10)
# After so many looks that found no room, a person has most likely decided without it.
_LOOKS = 4


@dataclass(frozen=True)
class _Wanted:
    """What is to be written again, and where it would be offered."""

    parent: RunRecord
    ticket: TicketSnapshot
    request: RequestId


@dataclass(kw_only=True)
class FullerDraftDueHandler:
    """Answers each event with at most one child run, stored whole in the transaction that ends the event.

    `runner` lets a model write for `seconds`. An attempt that is lost leaves nothing behind, so the next begins anew.
    """

    database: Database
    runner: TicketRunner
    log: InteractionLog
    clock: Clock
    budget: Budget
    seconds: float
    pressure: PressureGauge
    _under_way: int = field(default=0, init=False)

    async def handle(self, event: OutboxEvent) -> None:
        """Draft once more with time, and keep it beside the draft that stands."""
        async with self.database.read() as uow:
            wanted = await _wanted(uow, event)
        if wanted is None:
            await self._close(event)
        elif self._under_way >= AT_ONCE or self.pressure.level > Pressure.CALM:
            await self._put_off(event)
        else:
            self._under_way += 1
            try:
                await self._draft(event, wanted)
            finally:
                self._under_way -= 1

    async def give_up(self, event: OutboxEvent, code: str) -> None:
        """Bury the event; the draft that stands is as good as it was."""
        await bury(self.database, event, code)

    async def _draft(self, event: OutboxEvent, wanted: _Wanted) -> None:
        began, clock = self.clock.now(), self.clock
        deadline = Deadline(at=clock.monotonic() + self.seconds, now=clock.monotonic)
        run = Run(id=RunId(new_id()), workspace=event.workspace, deadline=deadline, budget=self.budget)
        with logging.about(run=run.id):
            record = await self.runner.run(wanted.ticket, run)
            # Its time counts from its own beginning: the customer's was answered in time by its parent.
            child = record.model_copy(update={"parent_run_id": wanted.parent.run_id, "received_at": began})
            async with self.database.write("fuller_ready") as uow:
                stored = await self.log.store_child(uow, child, event)
                if stored is Stored.OK:
                    await uow.outbox.request_changed(wanted.request, workspace=event.workspace)
            took = (child.finished_at - began).total_seconds()
            outcome = child.outcome if stored is Stored.OK else stored
            logging.get().info("fuller_draft", outcome=outcome, ms=round(took * 1_000))

    async def _put_off(self, event: OutboxEvent) -> None:
        if event.attempts >= _LOOKS:
            logging.get().info("fuller_draft", outcome="no_room")
            await self._close(event)
            return
        async with self.database.write("fuller_later") as uow:
            await uow.outbox.retry(event.id, at=await uow.now() + _LATER, error="no_room")

    async def _close(self, event: OutboxEvent) -> None:
        async with self.database.write("fuller_dropped") as uow:
            await uow.outbox.done(event.id)


async def _wanted(uow: UnitOfWork, event: OutboxEvent) -> _Wanted | None:
    """What the event asks for, while its reply is undecided and the customer has written nothing since."""
    found = await uow.runs.records([RunId(event.subject)])
    parent = found[0] if found else None
    if parent is None or not parent.was_cut or await uow.runs.child_of(parent.run_id) is not None:
        return None
    ticket = await uow.tickets.get(TicketId(parent.ticket_id))
    if ticket is None or ticket.revision != parent.ticket_revision:
        return None
    replies = [one for one in await uow.approvals.open_on(ticket.id) if one.kind is ActionKind.SEND_REPLY]
    pending = (one for one in replies if one.run_id == parent.run_id and one.status is RequestStatus.PENDING)
    request = next(pending, None)
    return None if request is None else _Wanted(parent, await seen(uow, ticket), request.id)
