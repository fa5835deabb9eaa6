"""What reminders and summaries speak of: requests that wait and how it went, in bounded queries; it changes nothing."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from db.base import table_of
from db.models.approvals import ApprovalRequestRow, DecisionRow
from db.models.executions import ExecutionRow
from db.models.messaging import NoticeRow, PostedCardRow
from db.models.tickets import TicketRow
from db.uow import UnitOfWork
from support_agents.domain.action import ActionKind
from support_agents.domain.approval import DecisionVerdict, ExecutionStatus, RequestStatus
from support_agents.domain.ids import RequestId, WorkspaceId

REQUESTS = table_of(ApprovalRequestRow)
DECISIONS = table_of(DecisionRow)
EXECUTIONS = table_of(ExecutionRow)
TICKETS = table_of(TicketRow)
NOTICES = table_of(NoticeRow)
CARDS = table_of(PostedCardRow)
# A query names at most so many keys.
_STRIDE = 500


@dataclass(frozen=True)
class Waiting:
    """A pending request, and where its card stands, if anywhere."""

    request: RequestId
    kind: ActionKind
    subject: str
    created_at: datetime
    expires_at: datetime
    place: str


@dataclass(frozen=True)
class Tally:
    """How the last hour went, and what waits now; `missed` are checks of attention that were approved."""

    waiting: int
    oldest: datetime | None
    decided: int
    needs_person: int
    in_doubt: int
    missed: int


async def waiting_requests(uow: UnitOfWork, workspace: WorkspaceId, *, limit: int) -> tuple[Waiting, ...]:
    """Pending requests whose ticket has not moved on, those that expire first, first."""
    place = (
        select(func.min(CARDS.c.place))
        .where(CARDS.c.request_id == REQUESTS.c.id, CARDS.c.retired_at.is_(None))
        .scalar_subquery()
    )
    query = (
        select(
            REQUESTS.c.id, REQUESTS.c.kind, TICKETS.c.subject, REQUESTS.c.created_at, REQUESTS.c.expires_at,
            func.coalesce(place, ""),
        )
        .join(TICKETS, TICKETS.c.id == REQUESTS.c.ticket_id)
        .where(REQUESTS.c.workspace_id == workspace, REQUESTS.c.status == RequestStatus.PENDING)
        .where(TICKETS.c.revision == REQUESTS.c.ticket_revision)
        .order_by(REQUESTS.c.expires_at, REQUESTS.c.id)
        .limit(limit)
    )  # fmt: skip
    return tuple(Waiting(row[0], ActionKind(row[1]), *row[2:]) for row in await uow.session.execute(query))


async def sent_notices(uow: UnitOfWork, workspace: WorkspaceId, kind: str, keys: Collection[str]) -> frozenset[str]:
    """Those keys of which a notice has been sent."""
    names, found = sorted(keys), set[str]()
    for start in range(0, len(names), _STRIDE):
        mine = (NOTICES.c.workspace_id == workspace, NOTICES.c.kind == kind, NOTICES.c.sent_at.is_not(None))
        query = select(NOTICES.c.key).where(*mine, NOTICES.c.key.in_(names[start : start + _STRIDE]))
        found |= set((await uow.session.execute(query)).scalars())
    return frozenset(found)


async def tally(uow: UnitOfWork, workspace: WorkspaceId, *, since: datetime) -> Tally:
    """Counts since a moment, and what waits now."""
    pending = (REQUESTS.c.workspace_id == workspace, REQUESTS.c.status == RequestStatus.PENDING)
    waiting = (await uow.session.execute(select(func.count(), func.min(REQUESTS.c.created_at)).where(*pending))).one()
    decided = select(func.count()).where(DECISIONS.c.workspace_id == workspace, DECISIONS.c.created_at >= since)
    people = select(func.count()).where(TICKETS.c.workspace_id == workspace, TICKETS.c.needs_person_reason.is_not(None))
    doubt = select(func.count()).where(
        EXECUTIONS.c.workspace_id == workspace, EXECUTIONS.c.status == ExecutionStatus.IN_DOUBT
    )
    missed = (
        select(func.count())
        .select_from(DECISIONS.join(REQUESTS, REQUESTS.c.id == DECISIONS.c.request_id))
        .where(REQUESTS.c.workspace_id == workspace, REQUESTS.c.seeded_by.is_not(None))
        .where(DECISIONS.c.verdict == DecisionVerdict.APPROVE, DECISIONS.c.created_at >= since)
    )
    return Tally(
        waiting=waiting[0],
        oldest=waiting[1],
        decided=(await uow.session.scalar(decided)) or 0,
        needs_person=(await uow.session.scalar(people)) or 0,
        in_doubt=(await uow.session.scalar(doubt)) or 0,
        missed=(await uow.session.scalar(missed)) or 0,
    )
