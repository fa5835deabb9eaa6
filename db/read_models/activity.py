"""How it goes: counts by outcome, and everything that waits for a person outside the queue; it changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Table, func, select

from db.base import table_of
from db.models.approvals import ApprovalRequestRow
from db.models.executions import ExecutionRow
from db.models.outbox import OutboxRow
from db.models.runs import RunRow
from db.read_models.levels import Stuck, stuck
from db.read_models.tickets import TicketLine, tickets
from db.repositories.executions import Execution
from db.repositories.inbox import Buried
from db.uow import UnitOfWork
from support_agents.domain.approval import ExecutionStatus, RequestStatus
from support_agents.domain.events import EventName
from support_agents.domain.ids import OutboxId, WorkspaceId
from support_agents.domain.runs import Outcome

RUNS = table_of(RunRow)
REQUESTS = table_of(ApprovalRequestRow)
EXECUTIONS = table_of(ExecutionRow)
OUTBOX = table_of(OutboxRow)
MOST = 50
# What a person waited for: a fuller draft that is offered later is no answer of its own.
_FIRST = RUNS.c.parent_run_id.is_(None)


@dataclass(frozen=True)
class BuriedEvent:
    """An outbox row that failed too often."""

    id: OutboxId
    name: EventName
    subject: UUID
    attempts: int
    error: str | None
    buried_at: datetime


@dataclass(frozen=True)
class Activity:
    """Counts since a moment, what is stuck now (the newest fifty of each), and how much of it there is."""

    outcomes: Mapping[Outcome, int]
    late_runs: int
    p50_ms: float | None
    p95_ms: float | None
    slowest_ms: float | None
    requests: Mapping[RequestStatus, int]
    executions: Mapping[ExecutionStatus, int]
    buried_inbox: tuple[Buried, ...]
    buried_events: tuple[BuriedEvent, ...]
    in_doubt: tuple[Execution, ...]
    needs_person: tuple[TicketLine, ...]
    outbox_waiting: int
    stuck: Stuck


async def activity(uow: UnitOfWork, workspace: WorkspaceId, *, since: datetime) -> Activity:
    """What happened since then, and what waits for a person."""
    outcomes = await _counts(uow, RUNS, "outcome", workspace, since, _FIRST)
    late, slowest = await _lateness(uow, workspace, since)
    return Activity(
        outcomes={Outcome(name): count for name, count in outcomes.items()},
        late_runs=late,
        p50_ms=await _percentile(uow, workspace, since, percent=50),
        p95_ms=await _percentile(uow, workspace, since, percent=95),
        slowest_ms=slowest,
        requests={
            RequestStatus(name): count
            for name, count in (await _counts(uow, REQUESTS, "status", workspace, since)).items()
        },
        executions={
            ExecutionStatus(name): count
            for name, count in (await _counts(uow, EXECUTIONS, "status", workspace, since)).items()
        },
        buried_inbox=await uow.inbox.buried(workspace, limit=MOST),
        buried_events=await _buried_events(uow, workspace),
        in_doubt=await _in_doubt(uow, workspace),
        needs_person=(await tickets(uow, workspace, needs_person=True, limit=MOST)).items,
        outbox_waiting=await _waiting(uow, workspace),
        stuck=await stuck(uow, workspace),
    )


async def _counts(
    uow: UnitOfWork, table: Table, column: str, workspace: WorkspaceId, since: datetime, *only: ColumnElement[bool]
) -> dict[str, int]:
    query = (
        select(table.c[column], func.count())
        .where(table.c.workspace_id == workspace, table.c.created_at >= since, table.c[column].is_not(None), *only)
        .group_by(table.c[column])
    )
    return {name: value for name, value in await uow.session.execute(query)}  # noqa: C416 - rows are not typed as pairs


async def _lateness(uow: UnitOfWork, workspace: WorkspaceId, since: datetime) -> tuple[int, float | None]:
    query = select(func.count().filter(RUNS.c.late), func.max(RUNS.c.total_ms)).where(
        RUNS.c.workspace_id == workspace, RUNS.c.created_at >= since, RUNS.c.status == "finished", _FIRST
    )
    late, slowest = (await uow.session.execute(query)).one()
    return late, slowest


async def _percentile(uow: UnitOfWork, workspace: WorkspaceId, since: datetime, *, percent: int) -> float | None:
    """A run's time by nearest rank, in milliseconds; SQLite has no function for it."""
    timed = (RUNS.c.workspace_id == workspace, RUNS.c.created_at >= since, RUNS.c.total_ms.is_not(None), _FIRST)
    number: int = (await uow.session.execute(select(func.count()).select_from(RUNS).where(*timed))).scalar_one()
    rank = -(-number * percent // 100)
    query = select(RUNS.c.total_ms).where(*timed).order_by(RUNS.c.total_ms).offset(max(0, rank - 1)).limit(1)
    return (await uow.session.execute(query)).scalar_one_or_none()


async def _buried_events(uow: UnitOfWork, workspace: WorkspaceId) -> tuple[BuriedEvent, ...]:
    columns = (OUTBOX.c.id, OUTBOX.c.name, OUTBOX.c.subject, OUTBOX.c.attempts, OUTBOX.c.last_error, OUTBOX.c.buried_at)
    query = (
        select(*columns)
        .where(OUTBOX.c.workspace_id == workspace, OUTBOX.c.buried_at.is_not(None))
        .order_by(OUTBOX.c.id.desc())
        .limit(MOST)
    )
    rows = await uow.session.execute(query)
    return tuple(BuriedEvent(row[0], EventName(row[1]), *row[2:]) for row in rows)


async def _in_doubt(uow: UnitOfWork, workspace: WorkspaceId) -> tuple[Execution, ...]:
    mine = (EXECUTIONS.c.workspace_id == workspace, EXECUTIONS.c.status == ExecutionStatus.IN_DOUBT)
    query = select(EXECUTIONS).where(*mine).order_by(EXECUTIONS.c.id.desc()).limit(MOST)
    rows = (await uow.session.execute(query)).mappings()
    return tuple(Execution.model_validate(dict(row)) for row in rows)


async def _waiting(uow: UnitOfWork, workspace: WorkspaceId) -> int:
    waiting = (OUTBOX.c.workspace_id == workspace, OUTBOX.c.done_at.is_(None), OUTBOX.c.buried_at.is_(None))
    count: int = (await uow.session.execute(select(func.count()).select_from(OUTBOX).where(*waiting))).scalar_one()
    return count
