"""Puts relay, handlers and duties together around one installation's collaborators; it starts nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from api.acting import Acting
from api.settings import Settings
from api.worker.dispatcher import InProcessDispatcher
from api.worker.handlers import (
    ExecutionDueHandler,
    InsideStepDueHandler,
    KnowledgeChangedHandler,
    RequestChangedHandler,
    TicketReceivedHandler,
    Timing,
)
from api.worker.index_keeper import IndexKeeper
from api.worker.loop import WorkerLoop
from api.worker.relay import Pace, Relay
from api.worker.schedule import Duty, Schedule
from approvals.notification import Notification
from db.engine import Database
from db.interaction_log import InteractionLog
from db.ticket_store import TicketStore
from support_agents.domain.budget import Budget
from support_agents.domain.events import EventName
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.ports import Clock
from support_agents.runner import TicketRunner


@dataclass(frozen=True, kw_only=True)
class Work:
    """Whom the worker works with."""

    settings: Settings
    clock: Clock
    database: Database
    tickets: TicketStore
    runner: TicketRunner
    log: InteractionLog
    acting: Acting
    keeper: IndexKeeper
    notification: Notification | None = None


def worker_of(work: Work, more: Sequence[Duty] = ()) -> WorkerLoop:
    """Return the worker, not started; `more` are duties of adapters."""
    pace = Pace(concurrency=work.settings.worker_concurrency, lease=timedelta(seconds=work.settings.lease_seconds))
    relay = Relay(work.database, _dispatcher(work), pace)
    schedule = Schedule((*_duties(work), *more), lambda: relay.steady)
    return WorkerLoop(relay, schedule, work.keeper)


def _dispatcher(work: Work) -> InProcessDispatcher:
    settings = work.settings
    return InProcessDispatcher(
        {
            EventName.TICKET_RECEIVED: TicketReceivedHandler(
                database=work.database,
                tickets=work.tickets,
                runner=work.runner,
                log=work.log,
                queue=work.acting.queue,
                clock=work.clock,
                timing=Timing(settings.deadline_seconds, settings.resumed_seconds),
                budget=Budget(),
            ),
            EventName.EXECUTION_DUE: ExecutionDueHandler(work.database, work.acting.executions),
            EventName.INSIDE_STEP_DUE: InsideStepDueHandler(work.database, work.acting.inside_steps),
            EventName.REQUEST_CHANGED: RequestChangedHandler(work.database, work.notification),
            EventName.KNOWLEDGE_CHANGED: KnowledgeChangedHandler(work.database, work.keeper),
        }
    )


def _duties(work: Work) -> tuple[Duty, ...]:
    return (
        Duty("reconcile", 5, work.acting.executions.reconcile_due),
        Duty("expire", 30, work.acting.queue.expire_due),
        Duty("sweep", 15, work.acting.queue.sweep_superseded),
        Duty("seal", 1, lambda: _seal(work)),
    )


async def _seal(work: Work) -> None:
    """Seal the audit, except in quarantine: nothing is sealed over a gap before an admin has looked at it."""
    async with work.database.read() as uow:
        held = (await uow.workspaces.get(DEFAULT_WORKSPACE)).quarantined_at is not None
    if not held:
        await work.acting.sealer.seal(DEFAULT_WORKSPACE)
