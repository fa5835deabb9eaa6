"""What one person could decide next, by risk and age, in one bounded query; it changes nothing and reads no text."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, bindparam, case, exists, func, select

from db.base import database_now, table_of
from db.models.approvals import ApprovalRequestRow, DecisionRow
from db.models.executions import ExecutionRow
from db.models.messaging import CardClaimRow
from db.models.operators import OperatorRow
from db.models.tickets import TicketRow
from db.uow import UnitOfWork
from support_agents.domain.action import ActionKind
from support_agents.domain.approval import DecisionVerdict, ExecutionStatus, RequestStatus
from support_agents.domain.ids import ExecutionId, OperatorId, RequestId, SessionId, TicketId, WorkspaceId
from support_agents.domain.money import Money

REQUESTS = table_of(ApprovalRequestRow)
DECISIONS = table_of(DecisionRow)
EXECUTIONS = table_of(ExecutionRow)
CLAIMS = table_of(CardClaimRow)
TICKETS = table_of(TicketRow)
OPERATORS = table_of(OperatorRow)
_CLAIMED = CLAIMS.c.operator_id == bindparam("operator"), CLAIMS.c.claimed_until > database_now()
_HELD = select(CLAIMS.c.request_id).where(*_CLAIMED)
_HELD_UNTIL = select(CLAIMS.c.claimed_until).where(*_CLAIMED, CLAIMS.c.request_id == bindparam("request"))
_NAMED = (
    select(
        REQUESTS.c.kind, REQUESTS.c.target, REQUESTS.c.amount_minor, REQUESTS.c.currency,
        TICKETS.c.subject, TICKETS.c.requester_name, TICKETS.c.requester_email,
    )
    .join(TICKETS, TICKETS.c.id == REQUESTS.c.ticket_id)
    .where(REQUESTS.c.id == bindparam("request"), REQUESTS.c.workspace_id == bindparam("workspace"))
)  # fmt: skip


@dataclass(frozen=True)
class Waiting:
    """A request that waits for people; `claimed_by` names whoever else looks at it now."""

    request: RequestId
    ticket: TicketId
    kind: ActionKind
    approvals_needed: int
    amount: Money | None
    requester_email: str
    expires_at: datetime
    claimed_by: str


@dataclass(frozen=True)
class Subject:
    """What a request is about, in short; `customer` is a name, or an address where there is none."""

    kind: ActionKind
    target: str
    amount: Money | None
    customer: str
    subject: str


async def subject_of(uow: UnitOfWork, workspace: WorkspaceId, request: RequestId) -> Subject | None:
    """What a request of this workspace is about."""
    row = (await uow.session.execute(_NAMED, {"workspace": workspace, "request": request})).first()
    if row is None:
        return None
    return Subject(
        kind=ActionKind(row.kind),
        target=row.target,
        amount=Money(minor=row.amount_minor, currency=row.currency) if row.currency else None,
        customer=row.requester_name or row.requester_email,
        subject=row.subject,
    )


async def waiting_for(
    uow: UnitOfWork, workspace: WorkspaceId, operator: OperatorId, *, limit: int, offset: int = 0
) -> tuple[Waiting, ...]:
    """Requests that can be decided now and that this person has not decided: money first, then the oldest."""
    named = func.coalesce(func.nullif(OPERATORS.c.name, ""), OPERATORS.c.email)
    theirs = and_(
        CLAIMS.c.request_id == REQUESTS.c.id,
        CLAIMS.c.operator_id != operator,
        CLAIMS.c.claimed_until > database_now(),
    )
    query = (
        select(
            REQUESTS.c.id, REQUESTS.c.ticket_id, REQUESTS.c.kind, REQUESTS.c.approvals_needed, REQUESTS.c.amount_minor,
            REQUESTS.c.currency, TICKETS.c.requester_email, REQUESTS.c.expires_at,
            named.label("claimed_by"), CLAIMS.c.id.label("claim"),
        )
        .join(TICKETS, TICKETS.c.id == REQUESTS.c.ticket_id)
        .outerjoin(CLAIMS, theirs)
        .outerjoin(OPERATORS, OPERATORS.c.id == CLAIMS.c.operator_id)
    )  # fmt: skip
    found = await uow.session.execute(_open(query, workspace, operator).order_by(*_ORDER).limit(limit).offset(offset))
    return tuple(
        Waiting(
            request=row.id,
            ticket=row.ticket_id,
            kind=ActionKind(row.kind),
            approvals_needed=row.approvals_needed,
            amount=Money(minor=row.amount_minor, currency=row.currency) if row.currency else None,
            requester_email=row.requester_email,
            expires_at=row.expires_at,
            claimed_by=row.claimed_by if row.claim else "",
        )
        for row in found
    )


async def held_by(uow: UnitOfWork, operator: OperatorId) -> tuple[RequestId, ...]:
    """Requests that this person has claimed and that the claim still holds."""
    return tuple((await uow.session.execute(_HELD, {"operator": operator})).scalars())


async def held_until(uow: UnitOfWork, operator: OperatorId, request: RequestId) -> datetime | None:
    """Until when this person's claim on a request holds."""
    given = {"operator": operator, "request": request}
    until: datetime | None = (await uow.session.execute(_HELD_UNTIL, given)).scalar()
    return until


async def scheduled_by(uow: UnitOfWork, session: SessionId) -> tuple[ExecutionId, ...]:
    """Executions not begun yet that a decision of this session approved."""
    approved = exists().where(DECISIONS.c.request_id == EXECUTIONS.c.request_id, DECISIONS.c.session_id == session)
    query = select(EXECUTIONS.c.id).where(EXECUTIONS.c.status == ExecutionStatus.SCHEDULED, approved)
    return tuple((await uow.session.execute(query.order_by(EXECUTIONS.c.id))).scalars())


async def undecided_by(uow: UnitOfWork, session: SessionId) -> tuple[RequestId, ...]:
    """Requests that a decision of this session approved and that have led to no execution yet."""
    approved = exists().where(
        DECISIONS.c.request_id == REQUESTS.c.id,
        DECISIONS.c.session_id == session,
        DECISIONS.c.verdict == DecisionVerdict.APPROVE,
    )
    led = exists().where(EXECUTIONS.c.request_id == REQUESTS.c.id)
    still = REQUESTS.c.status.in_((RequestStatus.PENDING, RequestStatus.APPROVED))
    return tuple((await uow.session.execute(select(REQUESTS.c.id).where(still, approved, ~led))).scalars())


async def count_waiting(uow: UnitOfWork, workspace: WorkspaceId, operator: OperatorId) -> int:
    """How many there are in all."""
    query = select(func.count(REQUESTS.c.id)).join(TICKETS, TICKETS.c.id == REQUESTS.c.ticket_id)
    return (await uow.session.scalar(_open(query, workspace, operator))) or 0


async def replies_waiting(
    uow: UnitOfWork, workspace: WorkspaceId, operator: OperatorId, *, limit: int
) -> Sequence[UUID]:
    """Ids of replies that one person can approve alone, unedited and waiting for nothing; the oldest first."""
    claimed = exists().where(
        CLAIMS.c.request_id == REQUESTS.c.id,
        CLAIMS.c.operator_id != operator,
        CLAIMS.c.claimed_until > database_now(),
    )
    plain = (
        REQUESTS.c.kind == ActionKind.SEND_REPLY,
        REQUESTS.c.approvals_needed == 1,
        REQUESTS.c.after_action_id.is_(None),
        REQUESTS.c.supersedes_id.is_(None),
        ~claimed,
    )
    query = select(REQUESTS.c.id).join(TICKETS, TICKETS.c.id == REQUESTS.c.ticket_id).where(*plain)
    return (
        (await uow.session.execute(_open(query, workspace, operator).order_by(REQUESTS.c.id).limit(limit)))
        .scalars()
        .all()
    )


_ORDER = (
    case((REQUESTS.c.kind == ActionKind.SEND_REPLY, 1), else_=0),
    case((REQUESTS.c.approvals_needed > 1, 0), else_=1),
    REQUESTS.c.id,
)


def _open(query: Select[*tuple[Any, ...]], workspace: WorkspaceId, operator: OperatorId) -> Select[*tuple[Any, ...]]:
    answered = exists().where(DECISIONS.c.request_id == REQUESTS.c.id, DECISIONS.c.operator_id == operator)
    return query.where(
        REQUESTS.c.workspace_id == workspace,
        REQUESTS.c.status == RequestStatus.PENDING,
        REQUESTS.c.expires_at > database_now(),
        REQUESTS.c.ticket_revision == TICKETS.c.revision,
        ~answered,
    )
