"""Puts relay, handlers and duties together around one installation's collaborators; it starts nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from api.acting import Acting
from api.choices import Provider, Role
from api.pressure import PressureGauge
from api.settings import Settings
from api.worker.attachment_reading import AttachmentReader
from api.worker.attachments import AttachmentsDueHandler, Patience
from api.worker.dispatcher import Handler, InProcessDispatcher
from api.worker.fuller_drafts import FullerDraftDueHandler
from api.worker.handlers import (
    ExecutionDueHandler,
    InsideStepDueHandler,
    KnowledgeChangedHandler,
    RequestChangedHandler,
    TicketReceivedHandler,
    Timing,
)
from api.worker.index_keeper import IndexKeeper
from api.worker.loop import Loop, WorkerLoop
from api.worker.pace import Pace
from api.worker.relay import Relay
from api.worker.schedule import Duty, Schedule
from api.worker.taking import Taker
from api.worker.watching import ClockWatch, KnowledgeWatch, Leading
from approvals.notification import Notification
from db.engine import Database
from db.interaction_log import InteractionLog
from db.ticket_store import TicketStore
from support_agents.domain.budget import Budget
from support_agents.domain.events import EventName
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.ports import Clock
from support_agents.runner import TicketRunner

_TURN = "schedule"
# What computes all the time is done a few at a time, and waits in the inbox; what waits for a model can wait together.
# A process that is alone takes a burst in whole: the lane then answers in time whom it can and refuses the rest, where
# the inbox would let them be late. One of several leaves what it could not begin at once to the others.
_AT_ONCE, _AT_ONCE_WITH_MODEL, _AT_ONCE_ALONE = 4, 32, 256


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
    pressure: PressureGauge
    notification: Notification | None = None
    files: AttachmentReader | None = None


@dataclass(frozen=True)
class Duties:
    """Work that repeats: `here` in every process that thinks, `once` in one process of the installation."""

    here: Sequence[Duty]
    once: Sequence[Duty]


@dataclass(frozen=True)
class Loops:
    """The loops of a process, and what takes hinted events where a broker tells of them."""

    worker: WorkerLoop
    taker: Taker | None = None


def loops_of(role: Role, work: Work, duties: Duties) -> Loops:
    """Return what runs in a process that thinks, not started."""
    match role:
        case Role.SERVE:
            return Loops(_all_in_one(work, duties))
        case Role.WORKER:
            lease = timedelta(seconds=work.settings.takeover_seconds)
            taker = Taker(work.database, InProcessDispatcher(_handlers(work), work.database, Pace()), lease)
            return Loops(_thinking(work, duties, taker), taker)
        case _:
            return Loops(_thinking(work, duties))


def scheduler_of(database: Database, once: Sequence[Duty]) -> WorkerLoop:
    """Return the loops of a scheduler; of several on one database, one works and the others wait."""
    clock = ClockWatch(database)
    schedule = Leading(database, _TURN, Schedule(once, lambda: clock.steady))
    return WorkerLoop({"clock": clock, "schedule": schedule}, lambda: clock.steady)


def _all_in_one(work: Work, duties: Duties) -> WorkerLoop:
    pace = Pace(concurrency=at_once_alone(work.settings), lease=timedelta(seconds=work.settings.lease_seconds))
    relay = Relay(work.database, InProcessDispatcher(_handlers(work), work.database, pace), pace)
    steady = _steadiness(relay)
    schedule = Schedule((*duties.once, *duties.here), steady)
    return WorkerLoop({"relay": relay, "schedule": schedule, "index": work.keeper}, steady, relay.drain)


def _thinking(work: Work, duties: Duties, taker: Taker | None = None) -> WorkerLoop:
    """Loops of a process beside others: an index of its own that follows SQL, and its own duties."""
    clock = ClockWatch(work.database)
    steady = _steadiness(clock)
    loops: dict[str, Loop] = {
        "clock": clock,
        "schedule": Schedule(duties.here, steady),
        "index": work.keeper,
        "knowledge": KnowledgeWatch(work.database, work.keeper),
    }
    if taker is None:
        return WorkerLoop(loops, steady)
    return WorkerLoop({**loops, "leases": taker}, steady, taker.drain)


def at_once(settings: Settings) -> int:
    """How many events one of several processes works on at the same time."""
    return _at_once(settings, _AT_ONCE_WITH_MODEL)


def at_once_alone(settings: Settings) -> int:
    """How many events a process works on at the same time that does all the work of an installation."""
    return _at_once(settings, _AT_ONCE_ALONE)


def _at_once(settings: Settings, with_model: int) -> int:
    usual = _AT_ONCE if settings.llm_provider is Provider.EXTRACTIVE else with_model
    return settings.worker_concurrency or usual


def _steadiness(watch: Relay | ClockWatch) -> Callable[[], bool]:
    return lambda: watch.steady


def _handlers(work: Work) -> Mapping[EventName, Handler]:
    settings = work.settings
    return {
        EventName.TICKET_RECEIVED: TicketReceivedHandler(
            database=work.database,
            tickets=work.tickets,
            runner=work.runner,
            log=work.log,
            queue=work.acting.queue,
            clock=work.clock,
            timing=Timing(settings.deadline_seconds, settings.resumed_seconds),
            budget=Budget(),
            pressure=work.pressure,
            fuller_drafts=settings.llm_fuller_draft,
            files=Patience(work.database, work.clock, settings.attachment_wait_seconds) if work.files else None,
        ),
        EventName.FULLER_DRAFT_DUE: FullerDraftDueHandler(
            database=work.database,
            runner=work.runner.unhurried(settings.llm_fuller_seconds),
            log=work.log,
            clock=work.clock,
            budget=Budget(),
            seconds=settings.llm_fuller_seconds,
            pressure=work.pressure,
        ),
        EventName.ATTACHMENTS_DUE: AttachmentsDueHandler(database=work.database, reader=work.files),
        EventName.EXECUTION_DUE: ExecutionDueHandler(work.database, work.acting.executions),
        EventName.INSIDE_STEP_DUE: InsideStepDueHandler(work.acting.inside_steps),
        EventName.REQUEST_CHANGED: RequestChangedHandler(work.database, work.notification),
        EventName.KNOWLEDGE_CHANGED: KnowledgeChangedHandler(work.database, work.keeper),
    }


def upkeep_of(database: Database, acting: Acting) -> tuple[Duty, ...]:
    """Return the duties that keep requests, executions and the audit in order."""
    return (
        Duty("reconcile", 5, acting.executions.reconcile_due),
        Duty("expire", 30, acting.queue.expire_due),
        Duty("sweep", 15, acting.queue.sweep_superseded),
        Duty("seal", 1, lambda: _seal(database, acting)),
    )


async def _seal(database: Database, acting: Acting) -> None:
    """Seal the audit, except in quarantine: nothing is sealed over a gap before an admin has looked at it."""
    async with database.read() as uow:
        held = (await uow.workspaces.get(DEFAULT_WORKSPACE)).quarantined_at is not None
    if not held:
        await acting.sealer.seal(DEFAULT_WORKSPACE)
