"""Rows of approval requests, decisions and daily money; it saves transitions but knows none."""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict
from sqlalchemy import RowMapping, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.elements import ColumnElement

from db.base import database_now, table_of, upsert
from db.models.approvals import ApprovalRequestRow, DecisionRow, OperatorMoneyRow
from db.models.executions import ExecutionRow
from db.models.operators import OperatorRow, SessionRow
from db.models.tickets import TicketRow
from db.repositories.outbox import Outbox
from support_agents.domain.action import ActionKind
from support_agents.domain.approval import DecisionVerdict, RequestStatus, Role
from support_agents.domain.ids import (
    ActionId,
    DecisionId,
    OperatorId,
    RequestId,
    RunId,
    SessionId,
    TicketId,
    WorkspaceId,
    new_id,
)


class NewRequest(BaseModel):
    """A request as it is put; `expires_at` is on the database's clock."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    id: RequestId
    workspace_id: WorkspaceId
    ticket_id: TicketId
    run_id: RunId
    action_id: ActionId
    kind: ActionKind
    ref: str
    target: str
    way: str
    canonical: bytes
    digest: str
    ticket_revision: int
    amount_minor: int | None
    currency: str | None
    approvals_needed: int
    managers_needed: int
    after_action_id: ActionId | None
    expires_at: datetime
    supersedes_id: RequestId | None = None
    authority_version: str = ""
    authority_rule: str = ""
    customer_tier: str = "standard"
    undo_seconds: int | None = None
    seeded_by: OperatorId | None = None


class ApprovalRequest(NewRequest):
    """A request as it stands."""

    created_at: datetime
    status: RequestStatus
    closed_at: datetime | None
    closed_reason: str | None


class NewDecision(BaseModel):
    """A person's answer; the database checks session, role and question again."""

    model_config = ConfigDict(frozen=True)

    workspace_id: WorkspaceId
    request_id: RequestId
    digest: str
    operator_id: OperatorId
    session_id: SessionId
    role: Role
    verdict: DecisionVerdict
    reason: str = ""
    created_at: datetime


class Decision(NewDecision):
    """An answer as stored."""

    id: DecisionId


class DayMoney(BaseModel):
    """An amount that one operator lets go on one day, in minor units."""

    model_config = ConfigDict(frozen=True)

    workspace_id: WorkspaceId
    operator_id: OperatorId
    day: date
    currency: str
    minor: int


_REQUESTS = table_of(ApprovalRequestRow)
_DECISIONS = table_of(DecisionRow)
_MONEY = table_of(OperatorMoneyRow)
_HAS_EXECUTION = exists().where(ExecutionRow.request_id == ApprovalRequestRow.id)
# What could still lead to an effect and has not begun to: pending, or approved and waiting for another action.
_OPEN: ColumnElement[bool] = or_(
    ApprovalRequestRow.status == RequestStatus.PENDING,
    (ApprovalRequestRow.status == RequestStatus.APPROVED) & ~_HAS_EXECUTION,
)


class Approvals:
    """Approval requests, their decisions, and the money each operator let go in a day."""

    def __init__(self, session: AsyncSession, outbox: Outbox) -> None:
        self._session = session
        self._outbox = outbox

    async def add(self, request: NewRequest) -> None:
        """Insert a pending request; a second pending one of the same ticket, kind and target is an IntegrityError."""
        values = {**request.model_dump(), "status": RequestStatus.PENDING}
        await self._session.execute(insert(_REQUESTS).values(**values))
        await self._outbox.request_changed(request.id, workspace=request.workspace_id)

    async def get(self, request_id: RequestId) -> ApprovalRequest | None:
        """Read without locking."""
        return await self._one(ApprovalRequestRow.id == request_id)

    async def lock(self, request_id: RequestId) -> ApprovalRequest | None:
        """Read and lock; always after the ticket's row is locked, so that two use cases cannot wait crosswise."""
        return await self._one(ApprovalRequestRow.id == request_id, lock=True)

    async def by_action(self, workspace: WorkspaceId, action_id: ActionId) -> ApprovalRequest | None:
        """Find the request of an action."""
        return await self._one(
            (ApprovalRequestRow.workspace_id == workspace) & (ApprovalRequestRow.action_id == action_id)
        )

    async def open_on(self, ticket_id: TicketId) -> tuple[ApprovalRequest, ...]:
        """Requests of a ticket that are pending, or approved and without an execution."""
        return await self._all((ApprovalRequestRow.ticket_id == ticket_id) & _OPEN)

    async def rejected_replies(self, ticket_id: TicketId, *, revision: int) -> tuple[ApprovalRequest, ...]:
        """Replies to this revision of a ticket that people rejected, oldest first; checks of attention are none."""
        row = _REQUESTS.c
        here = (row.ticket_id == ticket_id) & (row.ticket_revision == revision) & row.seeded_by.is_(None)
        return await self._all(here & (row.kind == ActionKind.SEND_REPLY) & (row.status == RequestStatus.REJECTED))

    async def open_in(self, workspace: WorkspaceId, *, limit: int) -> tuple[ApprovalRequest, ...]:
        """The same for a whole workspace, oldest first."""
        return await self._all((ApprovalRequestRow.workspace_id == workspace) & _OPEN, limit=limit)

    async def waiting_for(self, workspace: WorkspaceId, action_id: ActionId) -> tuple[ApprovalRequest, ...]:
        """Open requests whose action comes after this one."""
        here = (ApprovalRequestRow.workspace_id == workspace) & (ApprovalRequestRow.after_action_id == action_id)
        return await self._all(here & _OPEN)

    async def expired(self, *, limit: int) -> tuple[ApprovalRequest, ...]:
        """Pending requests whose time is over by the database's clock."""
        return await self._all(
            (ApprovalRequestRow.status == RequestStatus.PENDING) & (ApprovalRequestRow.expires_at <= database_now()),
            limit=limit,
        )

    async def stale(self, *, limit: int) -> tuple[ApprovalRequest, ...]:
        """Open requests whose ticket has moved on since."""
        moved = exists().where(
            TicketRow.id == ApprovalRequestRow.ticket_id, TicketRow.revision != ApprovalRequestRow.ticket_revision
        )
        return await self._all(_OPEN & moved, limit=limit)

    async def move(self, request: ApprovalRequest, to: RequestStatus, *, reason: str = "") -> bool:
        """Compare-and-set the status seen in `request`; False means that another was first."""
        result = await self._session.execute(
            update(_REQUESTS)
            .where(ApprovalRequestRow.id == request.id, ApprovalRequestRow.status == request.status)
            .values(status=to, closed_at=database_now(), closed_reason=reason or None)
            .returning(ApprovalRequestRow.id)
        )
        await self._outbox.request_changed(request.id, workspace=request.workspace_id)
        return result.first() is not None

    async def decide(self, decision: NewDecision) -> DecisionId:
        """Insert a decision; the request row must be locked by the caller."""
        decision_id = DecisionId(new_id())
        await self._session.execute(insert(_DECISIONS).values(id=decision_id, **decision.model_dump()))
        await self._outbox.request_changed(decision.request_id, workspace=decision.workspace_id)
        return decision_id

    async def is_present(self, operator_id: OperatorId, session_id: SessionId, role: Role) -> bool:
        """Whether operator and session live, belong together, and have this role now, by the database's clock."""
        alive = exists().where(
            SessionRow.id == session_id,
            SessionRow.operator_id == operator_id,
            SessionRow.ended_at.is_(None),
            SessionRow.expires_at > database_now(),
            OperatorRow.id == SessionRow.operator_id,
            OperatorRow.disabled_at.is_(None),
            OperatorRow.role == role,
        )
        return bool(await self._session.scalar(select(alive)))

    async def decisions(self, request_id: RequestId) -> tuple[Decision, ...]:
        """All answers to a request, oldest first."""
        found = await self._session.execute(
            select(_DECISIONS).where(DecisionRow.request_id == request_id).order_by(DecisionRow.id)
        )
        return tuple(Decision.model_validate(dict(row)) for row in found.mappings())

    async def reserve_money(self, money: DayMoney, *, limit: int) -> bool:
        """Add to the operator's day under its row's lock; False if that would pass `limit`."""
        key = money.model_dump(exclude={"minor"})
        await self._session.execute(upsert(_MONEY).values(id=new_id(), **key).on_conflict_do_nothing())
        return await self._add_money(money, OperatorMoneyRow.reserved_minor + money.minor <= limit, money.minor)

    async def reserved_money(self, money: DayMoney) -> int:
        """What the operator has let go on that day, in minor units."""
        key = money.model_dump(exclude={"minor"})
        query = select(_MONEY.c.reserved_minor).where(*(_MONEY.c[name] == value for name, value in key.items()))
        return await self._session.scalar(query) or 0

    async def release_money(self, money: DayMoney) -> None:
        """Take back what was reserved for an action that will not happen."""
        await self._add_money(money, OperatorMoneyRow.reserved_minor >= money.minor, -money.minor)

    async def _add_money(self, money: DayMoney, condition: ColumnElement[bool], minor: int) -> bool:
        key = money.model_dump(exclude={"minor"})
        result = await self._session.execute(
            update(_MONEY)
            .where(*(_MONEY.c[name] == value for name, value in key.items()), condition)
            .values(reserved_minor=OperatorMoneyRow.reserved_minor + minor)
            .returning(OperatorMoneyRow.id)
        )
        return result.first() is not None

    async def _one(self, where: ColumnElement[bool], *, lock: bool = False) -> ApprovalRequest | None:
        query = select(_REQUESTS).where(where)
        row = (await self._session.execute(query.with_for_update(key_share=True) if lock else query)).mappings().first()
        return None if row is None else _request(row)

    async def _all(self, where: ColumnElement[bool], *, limit: int = 1_000) -> tuple[ApprovalRequest, ...]:
        found = await self._session.execute(select(_REQUESTS).where(where).order_by(ApprovalRequestRow.id).limit(limit))
        return tuple(_request(row) for row in found.mappings())

    async def count_pending(self, workspace: WorkspaceId) -> int:
        """How many requests wait for people."""
        here = (ApprovalRequestRow.workspace_id == workspace) & (ApprovalRequestRow.status == RequestStatus.PENDING)
        return await self._session.scalar(select(func.count()).select_from(_REQUESTS).where(here)) or 0


def _request(row: RowMapping) -> ApprovalRequest:
    return ApprovalRequest.model_validate(dict(row))
