"""Rows of executions and their attempts; every change of state is a compare-and-set."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Select, Update, bindparam, exists, func, insert, or_, select, update

from db.base import NOW, database_now, table_of
from db.models.executions import AttemptRow, ExecutionRow
from db.models.outbox import OutboxRow
from db.models.tickets import TicketRow
from db.repositories.outbox import Outbox
from db.statements import Statements
from support_agents.domain.action import ActionKind
from support_agents.domain.approval import DecisionVerdict, ExecutionStatus
from support_agents.domain.events import EventName
from support_agents.domain.ids import (
    ActionId,
    AttemptId,
    DecisionId,
    ExecutionId,
    RequestId,
    TicketId,
    WorkspaceId,
)

TERMINAL = (
    ExecutionStatus.SUCCEEDED,
    ExecutionStatus.FAILED,
    ExecutionStatus.CANCELLED,
    ExecutionStatus.SUPERSEDED,
)
UNFINISHED = tuple(status for status in ExecutionStatus if status not in TERMINAL)

# A helpdesk tells us of our own comment seconds after it took it; minutes when it is in trouble.
ECHO_TIME = timedelta(minutes=15)


class NewExecution(BaseModel):
    """An execution as it is scheduled; its keys name the approval that it rests on."""

    model_config = ConfigDict(frozen=True)

    id: ExecutionId
    workspace_id: WorkspaceId
    request_id: RequestId
    decision_id: DecisionId
    digest: str
    action_id: ActionId
    ticket_id: TicketId
    kind: ActionKind
    way: str
    not_before: datetime


class Execution(NewExecution):
    """An execution as it stands."""

    verdict: DecisionVerdict
    created_at: datetime
    status: ExecutionStatus
    generation: int
    next_check_at: datetime | None
    checks: int
    restored: bool
    reason: str
    receipt: str | None
    finished_at: datetime | None


class NewAttempt(BaseModel):
    """A try as it begins; `key` is idempotency key and marker, `leased_until` exceeds the call's limit."""

    model_config = ConfigDict(frozen=True)

    id: AttemptId
    workspace_id: WorkspaceId
    execution_id: ExecutionId
    ticket_id: TicketId
    generation: int
    key: str
    world: str
    started_at: datetime
    leased_until: datetime


class Attempt(NewAttempt):
    """A try as it stands."""

    marked_at: datetime | None
    finished_at: datetime | None
    outcome: str | None
    receipt: str | None
    error: str | None


_EXECUTIONS = table_of(ExecutionRow)
_ATTEMPTS = table_of(AttemptRow)
_OUTBOX = table_of(OutboxRow)
_TICKETS = table_of(TicketRow)
_E, _A, _O = _EXECUTIONS.c, _ATTEMPTS.c, _OUTBOX.c

# Statements are made once: making one again for each execution cost more than the database's answer.
_ADD = insert(_EXECUTIONS)
_PLACE = select(_E.ticket_id, _E.request_id).where(_E.id == bindparam("wanted"))
_BY_ID = select(_EXECUTIONS).where(_E.id == bindparam("wanted"))
_LOCKED = _BY_ID.with_for_update(key_share=True)
_BY_ACTION = select(_EXECUTIONS).where(_E.workspace_id == bindparam("workspace"), _E.action_id == bindparam("wanted"))
_BY_REQUEST = select(_EXECUTIONS).where(_E.request_id == bindparam("wanted"))
_OLDEST = select(_EXECUTIONS).order_by(_E.id).limit(bindparam("most"))
_UNFINISHED = _OLDEST.where(_E.workspace_id == bindparam("workspace"), _E.status.in_(UNFINISHED))
_LAPSED = _OLDEST.where(
    _E.status == ExecutionStatus.EXECUTING,
    exists().where(_A.execution_id == _E.id, _A.generation == _E.generation, _A.leased_until <= database_now()),
)
_TO_ASK = _OLDEST.where(
    _E.status == ExecutionStatus.IN_DOUBT, _E.next_check_at.is_not(None), _E.next_check_at <= database_now()
)
_CALLED = exists().where(
    _O.subject == _E.id, _O.name == EventName.EXECUTION_DUE, _O.done_at.is_(None), _O.buried_at.is_(None)
)
_ORPHANED = _OLDEST.where(_E.status == ExecutionStatus.SCHEDULED, _E.not_before < bindparam("since"), ~_CALLED)
_BEGIN = insert(_ATTEMPTS)
_ATTEMPTS_OF = select(_ATTEMPTS).where(_A.execution_id == bindparam("wanted")).order_by(_A.generation)
_EXECUTING = exists().where(
    _E.id == _A.execution_id, _E.status == ExecutionStatus.EXECUTING, _E.generation == _A.generation
)
_MARK = (
    update(_ATTEMPTS)
    .where(
        _A.id == bindparam("wanted"), _A.marked_at.is_(None), _A.finished_at.is_(None),
        _A.leased_until > database_now(), _EXECUTING,
    )
    .values(marked_at=database_now())
    .returning(_A.id)
)  # fmt: skip
_FINISH = (
    update(_ATTEMPTS)
    .where(_A.id == bindparam("wanted"), _A.finished_at.is_(None))
    .values(
        outcome=bindparam("new_outcome"), receipt=bindparam("new_receipt"), error=bindparam("new_error"),
        finished_at=database_now(),
    )
    .returning(_A.id)
)  # fmt: skip
_DUE_HANDLED = (
    update(_OUTBOX)
    .where(_O.subject == bindparam("wanted"), _O.name == EventName.EXECUTION_DUE, _O.done_at.is_(None))
    .values(done_at=database_now())
)


@cache
def _moving(columns: tuple[str, ...], *, ends: bool) -> Update:
    """The compare-and-set that changes these columns; there are a dozen sets of columns, each made once."""
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in columns}
    return (
        update(_EXECUTIONS)
        .where(
            _E.id == bindparam("seen_id"), _E.status == bindparam("seen_status"),
            _E.generation == bindparam("seen_generation"),
        )
        .values(values | ({"finished_at": database_now()} if ends else {}))
        .returning(_E.id)
    )  # fmt: skip


class Executions:
    """Executions and attempts."""

    def __init__(self, session: Statements, outbox: Outbox) -> None:
        self._session = session
        self._changed = outbox

    async def add(self, execution: NewExecution) -> None:
        """Insert a scheduled execution; the database refuses one without its approvals."""
        values = {**execution.model_dump(), "verdict": DecisionVerdict.APPROVE, "status": ExecutionStatus.SCHEDULED}
        await self._session.execute(_ADD, values)
        await self._changed.request_changed(execution.request_id, workspace=execution.workspace_id)

    async def get(self, execution_id: ExecutionId) -> Execution | None:
        """Read without locking."""
        return await self._one(_BY_ID, {"wanted": execution_id})

    async def lock(self, execution_id: ExecutionId) -> Execution | None:
        """Read and lock; always after ticket and request."""
        return await self._one(_LOCKED, {"wanted": execution_id})

    async def place(self, execution_id: ExecutionId) -> tuple[TicketId, RequestId] | None:
        """Whose rows to lock before this one; neither ever changes."""
        row = (await self._session.execute(_PLACE, {"wanted": execution_id})).first()
        return None if row is None else (TicketId(row.ticket_id), RequestId(row.request_id))

    async def by_action(self, workspace: WorkspaceId, action_id: ActionId) -> Execution | None:
        """Find the execution of an action."""
        return await self._one(_BY_ACTION, {"workspace": workspace, "wanted": action_id})

    async def by_request(self, request_id: RequestId) -> Execution | None:
        """Find the execution of a request."""
        return await self._one(_BY_REQUEST, {"wanted": request_id})

    async def unfinished_in(self, workspace: WorkspaceId, *, limit: int) -> tuple[Execution, ...]:
        """Executions that are not at an end, oldest first."""
        return await self._all(_UNFINISHED, {"workspace": workspace, "most": limit})

    async def move(self, execution: Execution, to: ExecutionStatus, **changes: Any) -> bool:  # noqa: ANN401 - columns
        """Compare-and-set the status and generation seen in `execution`; False means that another was first."""
        new = {"status": to, **changes}
        seen = {"seen_id": execution.id, "seen_status": execution.status, "seen_generation": execution.generation}
        result = await self._session.execute(
            _moving(tuple(new), ends=to in TERMINAL), seen | {f"new_{name}": value for name, value in new.items()}
        )
        await self._changed.request_changed(execution.request_id, workspace=execution.workspace_id)
        return result.first() is not None

    async def set(self, execution: Execution, **changes: Any) -> bool:  # noqa: ANN401 - columns
        """Change other columns while status and generation are as seen."""
        return await self.move(execution, execution.status, **changes)

    async def begin_attempt(self, attempt: NewAttempt) -> None:
        """Insert the attempt of a generation; a generation has one at most."""
        await self._session.execute(_BEGIN, attempt.model_dump())

    async def attempts(self, execution_id: ExecutionId) -> tuple[Attempt, ...]:
        """All attempts, oldest first."""
        found = await self._session.execute(_ATTEMPTS_OF, {"wanted": execution_id})
        return tuple(Attempt.model_validate(dict(row)) for row in found.mappings())

    async def mark(self, attempt_id: AttemptId) -> bool:
        """Set the mail marker once, while lease and state still allow the call; False means: do not send."""
        result = await self._session.execute(_MARK, {"wanted": attempt_id})
        return result.first() is not None

    async def mailed(self, workspace: WorkspaceId, address: str, *, within: timedelta) -> int:
        """How many letters were begun to be handed over for a requester's address, from now back."""
        since = (await self._session.execute(NOW)).scalar_one() - within
        query = (
            select(func.count())
            .select_from(_ATTEMPTS.join(_TICKETS, _TICKETS.c.id == _A.ticket_id))
            .where(
                _A.marked_at > since,
                _A.workspace_id == workspace,
                func.lower(_TICKETS.c.requester_email) == address.lower(),
            )
        )
        return int(await self._session.scalar(query) or 0)

    async def finish_attempt(self, attempt_id: AttemptId, *, outcome: str, receipt: str | None, error: str) -> bool:
        """Write down once what came of a try; evidence, whoever decides on the execution."""
        came = {"new_outcome": outcome, "new_receipt": receipt, "new_error": error or None}
        result = await self._session.execute(_FINISH, {"wanted": attempt_id, **came})
        return result.first() is not None

    async def lapsed(self, *, limit: int) -> tuple[Execution, ...]:
        """Executing ones whose attempt's lease is over: their worker is dead or asleep."""
        return await self._all(_LAPSED, {"most": limit})

    async def to_ask(self, *, limit: int) -> tuple[Execution, ...]:
        """In doubt, and due to be asked about."""
        return await self._all(_TO_ASK, {"most": limit})

    async def orphaned(self, *, since: datetime, limit: int) -> tuple[Execution, ...]:
        """Scheduled ones that were due before `since` and that no waiting outbox row calls for any more."""
        return await self._all(_ORPHANED, {"since": since, "most": limit})

    async def knows_marker(self, workspace: WorkspaceId, marker: str) -> bool:
        """Whether one of our attempts carries this marker: an inbound message with it is our own echo."""
        found = select(exists().where(_A.workspace_id == workspace, _A.key == marker))
        return bool(await self._session.scalar(found))

    async def executing_on(self, ticket_id: TicketId) -> bool:
        """Whether an attempt on this ticket is under way, in doubt, or so fresh that its echo may still be coming."""
        since = (await self._session.execute(NOW)).scalar_one() - ECHO_TIME
        fresh = or_(
            _E.status.in_((ExecutionStatus.EXECUTING, ExecutionStatus.IN_DOUBT)),
            _E.finished_at > since,
        )
        begun = exists().where(_A.ticket_id == ticket_id, _A.execution_id == _E.id, fresh)
        return bool(await self._session.scalar(select(begun)))

    async def due_handled(self, execution_id: ExecutionId) -> None:
        """Close the outbox rows that called for this execution, in the transaction that answers them."""
        await self._session.execute(_DUE_HANDLED, {"wanted": execution_id})

    async def _one(self, query: Select[*tuple[Any, ...]], given: Mapping[str, object]) -> Execution | None:
        row = (await self._session.execute(query, given)).mappings().first()
        return None if row is None else Execution.model_validate(dict(row))

    async def _all(self, query: Select[*tuple[Any, ...]], given: Mapping[str, object]) -> tuple[Execution, ...]:
        found = await self._session.execute(query, given)
        return tuple(Execution.model_validate(dict(row)) for row in found.mappings())
