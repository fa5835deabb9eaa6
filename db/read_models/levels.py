"""How much stands and waits now, in counts and ages alone: bounded, indexed queries; it changes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, func, literal, select

from db.base import UtcDateTime, table_of
from db.models.approvals import ApprovalRequestRow
from db.models.audit import AuditRow
from db.models.executions import ExecutionRow
from db.models.inbox import InboxRow
from db.models.outbox import OutboxRow
from db.models.runs import RunRow
from db.models.tickets import TicketRow
from db.repositories.executions import UNFINISHED
from db.uow import UnitOfWork
from support_agents.domain.approval import ExecutionStatus, RequestStatus
from support_agents.domain.events import EventName
from support_agents.domain.ids import WorkspaceId

# So many rows are counted at most: a scrape must stay cheap just when a lot waits.
MOST = 10_000
OUTBOX = table_of(OutboxRow)
INBOX = table_of(InboxRow)
RUNS = table_of(RunRow)
REQUESTS = table_of(ApprovalRequestRow)
EXECUTIONS = table_of(ExecutionRow)
TICKETS = table_of(TicketRow)
AUDIT = table_of(AuditRow)

_WAITING = and_(OUTBOX.c.done_at.is_(None), OUTBOX.c.buried_at.is_(None))


@dataclass(frozen=True)
class Standing:
    """How many there are (`MOST` at most) and since when the oldest has stood; 0 without any."""

    count: int = 0
    oldest_seconds: float = 0.0


@dataclass(frozen=True)
class Levels:
    """Everything that a gauge shows. Events count once they are due; `pending` is by age, each up to its bound."""

    due: Mapping[EventName, Standing]
    buried_events: Standing
    buried_inbox: Standing
    open_runs: Standing
    pending: Sequence[Standing]
    executions: Mapping[ExecutionStatus, Standing]
    needs_person: Standing
    unsealed: Standing


@dataclass(frozen=True)
class Stuck:
    """How much waits for people outside the queue, each counted up to `MOST`."""

    needs_person: int
    in_doubt: int
    buried: int


async def stuck(uow: UnitOfWork, workspace: WorkspaceId) -> Stuck:
    """Count it."""
    now = await uow.now()
    return Stuck(
        needs_person=(await _needs_person(uow, workspace, now)).count,
        in_doubt=(await _executions(uow, workspace, now, ExecutionStatus.IN_DOUBT)).count,
        buried=(await _buried_events(uow, workspace, now)).count + (await _buried_inbox(uow, workspace, now)).count,
    )


async def levels(uow: UnitOfWork, workspace: WorkspaceId, *, ages: Sequence[timedelta]) -> Levels:
    """Count what waits. `ages` are rising bounds; one more `pending` follows for what is older than the last."""
    now = await uow.now()
    return Levels(
        due=await _due(uow, workspace, now),
        buried_events=await _buried_events(uow, workspace, now),
        buried_inbox=await _buried_inbox(uow, workspace, now),
        open_runs=await _standing(uow, RUNS, workspace, now, RUNS.c.begun_at, RUNS.c.status == "open"),
        pending=await _pending(uow, workspace, now, ages),
        executions={status: await _executions(uow, workspace, now, status) for status in UNFINISHED},
        needs_person=await _needs_person(uow, workspace, now),
        unsealed=await _standing(uow, AUDIT, workspace, now, AUDIT.c.at, AUDIT.c.sealed_seq.is_(None)),
    )


async def _standing(
    uow: UnitOfWork,
    table: Table,
    workspace: WorkspaceId,
    now: datetime,
    since: ColumnElement[Any],
    *which: ColumnElement[bool],
) -> Standing:
    """Count rows of one table and tell the age of the oldest of them."""
    found = select(since.label("since")).where(table.c.workspace_id == workspace, *which).limit(MOST).subquery()
    query = select(func.count(), func.min(found.c.since, type_=UtcDateTime()))
    count, oldest = (await uow.session.execute(query.select_from(found))).one()
    return Standing(count, _age(now, oldest))


async def _needs_person(uow: UnitOfWork, workspace: WorkspaceId, now: datetime) -> Standing:
    return await _standing(
        uow, TICKETS, workspace, now, TICKETS.c.changed_at, TICKETS.c.needs_person_reason.is_not(None)
    )


async def _buried_events(uow: UnitOfWork, workspace: WorkspaceId, now: datetime) -> Standing:
    return await _standing(uow, OUTBOX, workspace, now, OUTBOX.c.buried_at, OUTBOX.c.buried_at.is_not(None))


async def _buried_inbox(uow: UnitOfWork, workspace: WorkspaceId, now: datetime) -> Standing:
    return await _standing(uow, INBOX, workspace, now, INBOX.c.received_at, INBOX.c.buried_reason.is_not(None))


async def _executions(uow: UnitOfWork, workspace: WorkspaceId, now: datetime, status: ExecutionStatus) -> Standing:
    return await _standing(
        uow, EXECUTIONS, workspace, now, EXECUTIONS.c.created_at, EXECUTIONS.c.status == literal(str(status))
    )


async def _due(uow: UnitOfWork, workspace: WorkspaceId, now: datetime) -> Mapping[EventName, Standing]:
    """Events that could have been handled by now, by name; the oldest of them tells how far the relay is behind."""
    found = (
        select(OUTBOX.c.name, OUTBOX.c.not_before)
        .where(_WAITING, OUTBOX.c.workspace_id == workspace, OUTBOX.c.not_before <= now)
        .order_by(OUTBOX.c.not_before, OUTBOX.c.id)
        .limit(MOST)
        .subquery()
    )
    oldest = func.min(found.c.not_before, type_=UtcDateTime())
    rows = await uow.session.execute(select(found.c.name, func.count(), oldest).group_by(found.c.name))
    there = {EventName(name): Standing(count, _age(now, since)) for name, count, since in rows}
    return {name: there.get(name, Standing()) for name in EventName}


async def _pending(
    uow: UnitOfWork, workspace: WorkspaceId, now: datetime, ages: Sequence[timedelta]
) -> tuple[Standing, ...]:
    mine = (REQUESTS.c.workspace_id == workspace, REQUESTS.c.status == literal(str(RequestStatus.PENDING)))
    live = REQUESTS.c.expires_at > now
    found = select(REQUESTS.c.created_at).where(*mine, live).limit(MOST).subquery()
    at, bounds = found.c.created_at, [now - age for age in ages]
    upper, lower = [None, *bounds], [*bounds, None]
    shares: list[ColumnElement[Any]] = []
    for younger, older in zip(upper, lower, strict=True):
        within = and_(*(() if younger is None else (at <= younger,)), *(() if older is None else (at > older,)))
        shares += [func.count().filter(within), func.min(at, type_=UtcDateTime()).filter(within)]
    row = (await uow.session.execute(select(*shares).select_from(found))).one()
    return tuple(Standing(row[at_], _age(now, _aware(row[at_ + 1]))) for at_ in range(0, len(row), 2))


def _aware(found: datetime | str | None) -> datetime | None:
    return datetime.fromisoformat(found) if isinstance(found, str) else found


def _age(now: datetime, since: datetime | None) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())
