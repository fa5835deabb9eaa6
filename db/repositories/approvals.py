"""Rows of approval requests, decisions and daily money; it saves transitions but knows none."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import RowMapping, Select, bindparam, exists, func, insert, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from db.base import constant, database_now, table_of, upsert
from db.made import made
from db.models.approvals import ApprovalRequestRow, DecisionRow, OperatorMoneyRow
from db.models.executions import ExecutionRow
from db.models.operators import OperatorRow, SessionRow
from db.models.tickets import TicketRow
from db.models.workspaces import WorkspaceRow
from db.repositories.executions import TERMINAL
from db.repositories.outbox import Outbox
from db.statements import Statements
from support_agents.domain.action import ActionKind
from support_agents.domain.approval import DecisionVerdict, Mode, RequestStatus, Role
from support_agents.domain.errors import SupportError
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

    id: DecisionId
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
    """An answer as stored; `seal` says that who made it had the key, and is empty where it was made before seals."""

    seal: str


@dataclass(frozen=True)
class Standing:
    """What submitting a run's proposals depends on: how far replies go, the clock, and whether older ones are open."""

    mode: Mode
    now: datetime
    has_open: bool


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
_EXECUTIONS, _TICKETS = table_of(ExecutionRow), table_of(TicketRow)
_WORKSPACES = table_of(WorkspaceRow)
_R, _D, _M = _REQUESTS.c, _DECISIONS.c, _MONEY.c

# Statements are made once: making one again for each request cost more than the database's answer.
_ADD = made(insert(_REQUESTS))
_BY_ID = select(_REQUESTS).where(_R.id == bindparam("wanted"))
_LOCKED = _BY_ID.with_for_update(key_share=True)
_BY_ACTION = select(_REQUESTS).where(_R.workspace_id == bindparam("workspace"), _R.action_id == bindparam("wanted"))
_OLDEST = select(_REQUESTS).order_by(_R.id).limit(bindparam("most"))
_HAS_EXECUTION = exists().where(_EXECUTIONS.c.request_id == _R.id)
# What could still lead to an effect and has not begun to: pending, or approved and waiting for another action.
_OPEN: ColumnElement[bool] = or_(
    _R.status == constant(RequestStatus.PENDING),
    (_R.status == constant(RequestStatus.APPROVED)) & _R.after_action_id.is_not(None) & ~_HAS_EXECUTION,
)
_OPEN_ON = _OLDEST.where(_R.ticket_id == bindparam("ticket"), _OPEN)
_STANDING = made(
    select(_WORKSPACES.c.mode, database_now(), exists().where(_R.ticket_id == bindparam("ticket"), _OPEN)).where(
        _WORKSPACES.c.id == bindparam("workspace")
    )
)
_OPEN_IN = _OLDEST.where(_R.workspace_id == bindparam("workspace"), _OPEN)
_WAITING_FOR = _OPEN_IN.where(_R.after_action_id == bindparam("first"))
# Checks of attention are nobody's reply.
REJECTED_REPLIES = _OLDEST.where(
    _R.ticket_id == bindparam("ticket"), _R.ticket_revision == bindparam("revision"), _R.seeded_by.is_(None),
    _R.kind == constant(ActionKind.SEND_REPLY), _R.status == constant(RequestStatus.REJECTED),
)  # fmt: skip
_EXPIRED = _OLDEST.where(_R.status == constant(RequestStatus.PENDING), _R.expires_at <= database_now())
_STALE = _OLDEST.where(_OPEN, exists().where(_TICKETS.c.id == _R.ticket_id, _TICKETS.c.revision != _R.ticket_revision))
_MOVE = (
    update(_REQUESTS)
    .where(_R.id == bindparam("seen_id"), _R.status == bindparam("seen_status"))
    .values(status=bindparam("new_status"), closed_at=database_now(), closed_reason=bindparam("new_reason"))
    .returning(_R.id)
)
_DECIDE = insert(_DECISIONS)
_DECISIONS_OF = select(_DECISIONS).where(_D.request_id == bindparam("wanted")).order_by(_D.id)
# Answers from which something may still follow: their request is open, or their execution is not at an end.
_OPEN_ANSWERS = (
    select(_DECISIONS).join(_REQUESTS, _R.id == _D.request_id)
    .where(
        _D.workspace_id == bindparam("workspace"), _D.id > bindparam("after"),
        or_(_OPEN, exists().where(_EXECUTIONS.c.request_id == _R.id, _EXECUTIONS.c.status.not_in(TERMINAL))),
    )
    .order_by(_D.id).limit(bindparam("most"))
)  # fmt: skip
_NEW_DAY = upsert(_MONEY).on_conflict_do_nothing()
_THAT_DAY = (
    _M.workspace_id == bindparam("of_workspace_id"), _M.operator_id == bindparam("of_operator_id"),
    _M.day == bindparam("of_day"), _M.currency == bindparam("of_currency"),
)  # fmt: skip
_RESERVED = select(_M.reserved_minor).where(*_THAT_DAY)
_ADD_MONEY = update(_MONEY).where(*_THAT_DAY).values(reserved_minor=_M.reserved_minor + bindparam("minor"))
_RESERVE = _ADD_MONEY.where(_M.reserved_minor + bindparam("minor") <= bindparam("most")).returning(_M.id)
_RELEASE = _ADD_MONEY.where(_M.reserved_minor + bindparam("minor") >= 0).returning(_M.id)
_MOST = 1_000


class Approvals:
    """Approval requests, their decisions, and the money each operator let go in a day."""

    def __init__(self, session: Statements, outbox: Outbox) -> None:
        self._session = session
        self._outbox = outbox

    async def add(self, request: NewRequest) -> None:
        """Insert a pending request; a second pending one of the same ticket, kind and target is an IntegrityError."""
        values = {**request.model_dump(), "status": RequestStatus.PENDING}
        await self._session.execute(_ADD, values)
        await self._outbox.request_changed(request.id, workspace=request.workspace_id)

    async def get(self, request_id: RequestId) -> ApprovalRequest | None:
        """Read without locking."""
        return await self._one(_BY_ID, {"wanted": request_id})

    async def lock(self, request_id: RequestId) -> ApprovalRequest | None:
        """Read and lock; always after the ticket's row is locked, so that two use cases cannot wait crosswise."""
        return await self._one(_LOCKED, {"wanted": request_id})

    async def by_action(self, workspace: WorkspaceId, action_id: ActionId) -> ApprovalRequest | None:
        """Find the request of an action."""
        return await self._one(_BY_ACTION, {"workspace": workspace, "wanted": action_id})

    async def open_on(self, ticket_id: TicketId) -> tuple[ApprovalRequest, ...]:
        """Requests of a ticket that are pending, or approved and without an execution."""
        return await self._all(_OPEN_ON, {"ticket": ticket_id})

    async def standing(self, workspace: WorkspaceId, ticket_id: TicketId) -> Standing:
        """What a submission on the ticket depends on, in one statement; `not_found` where there is no workspace."""
        row = (await self._session.execute(_STANDING, {"workspace": workspace, "ticket": ticket_id})).first()
        if row is None:
            raise SupportError("not_found", f"no workspace {workspace}")
        return Standing(Mode(row[0]), row[1], has_open=bool(row[2]))

    async def rejected_replies(self, ticket_id: TicketId, *, revision: int) -> tuple[ApprovalRequest, ...]:
        """Replies to this revision of a ticket that people rejected, oldest first; checks of attention are none."""
        return await self._all(REJECTED_REPLIES, {"ticket": ticket_id, "revision": revision})

    async def open_in(self, workspace: WorkspaceId, *, limit: int) -> tuple[ApprovalRequest, ...]:
        """The same for a whole workspace, oldest first."""
        return await self._all(_OPEN_IN, {"workspace": workspace}, limit=limit)

    async def waiting_for(self, workspace: WorkspaceId, action_id: ActionId) -> tuple[ApprovalRequest, ...]:
        """Open requests whose action comes after this one."""
        return await self._all(_WAITING_FOR, {"workspace": workspace, "first": action_id})

    async def expired(self, *, limit: int) -> tuple[ApprovalRequest, ...]:
        """Pending requests whose time is over by the database's clock."""
        return await self._all(_EXPIRED, {}, limit=limit)

    async def stale(self, *, limit: int) -> tuple[ApprovalRequest, ...]:
        """Open requests whose ticket has moved on since."""
        return await self._all(_STALE, {}, limit=limit)

    async def move(self, request: ApprovalRequest, to: RequestStatus, *, reason: str = "") -> bool:
        """Compare-and-set the status seen in `request`; False means that another was first."""
        seen = {"seen_id": request.id, "seen_status": request.status}
        result = await self._session.execute(_MOVE, seen | {"new_status": to, "new_reason": reason or None})
        await self._outbox.request_changed(request.id, workspace=request.workspace_id)
        return result.first() is not None

    async def decide(self, decision: NewDecision, *, seal: str) -> Decision:
        """Insert a decision and return it as stored; the request row must be locked by the caller."""
        values = decision.model_dump() | {"seal": seal}
        await self._session.execute(_DECIDE, values)
        await self._outbox.request_changed(decision.request_id, workspace=decision.workspace_id)
        return Decision.model_validate(values)

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
        found = await self._session.execute(_DECISIONS_OF, {"wanted": request_id})
        return tuple(Decision.model_validate(dict(row)) for row in found.mappings())

    async def open_answers(self, workspace: WorkspaceId, *, after: UUID, limit: int) -> tuple[Decision, ...]:
        """Answers from which something may still follow, with ids above `after`, in their order."""
        given = {"workspace": workspace, "after": after, "most": limit}
        found = await self._session.execute(_OPEN_ANSWERS, given)
        return tuple(Decision.model_validate(dict(row)) for row in found.mappings())

    async def reserve_money(self, money: DayMoney, *, limit: int) -> bool:
        """Add to the operator's day under its row's lock; False if that would pass `limit`."""
        key = money.model_dump(exclude={"minor"})
        await self._session.execute(_NEW_DAY, {"id": new_id(), **key})
        added = await self._session.execute(_RESERVE, _day_of(money) | {"minor": money.minor, "most": limit})
        return added.first() is not None

    async def reserved_money(self, money: DayMoney) -> int:
        """What the operator has let go on that day, in minor units."""
        return await self._session.scalar(_RESERVED, _day_of(money)) or 0

    async def release_money(self, money: DayMoney) -> None:
        """Take back what was reserved for an action that will not happen."""
        await self._session.execute(_RELEASE, _day_of(money) | {"minor": -money.minor})

    async def _one(self, query: Select[*tuple[Any, ...]], given: Mapping[str, object]) -> ApprovalRequest | None:
        row = (await self._session.execute(query, given)).mappings().first()
        return None if row is None else _request(row)

    async def _all(
        self, query: Select[*tuple[Any, ...]], given: Mapping[str, object], *, limit: int = _MOST
    ) -> tuple[ApprovalRequest, ...]:
        found = await self._session.execute(query, {**given, "most": limit})
        return tuple(_request(row) for row in found.mappings())

    async def count_pending(self, workspace: WorkspaceId) -> int:
        """How many requests wait for people."""
        here = (_R.workspace_id == workspace) & (_R.status == RequestStatus.PENDING)
        return await self._session.scalar(select(func.count()).select_from(_REQUESTS).where(here)) or 0


def _request(row: RowMapping) -> ApprovalRequest:
    return ApprovalRequest.model_validate(dict(row))


def _day_of(money: DayMoney) -> dict[str, object]:
    return {f"of_{name}": value for name, value in money.model_dump(exclude={"minor"}).items()}
