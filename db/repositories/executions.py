"""Rows of executions and their attempts; every change of state is a compare-and-set."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.elements import ColumnElement

from db.base import database_now, table_of
from db.models.executions import AttemptRow, ExecutionRow
from db.models.outbox import OutboxRow
from db.models.tickets import TicketRow
from db.repositories.outbox import Outbox
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


class Executions:
    """Executions and attempts."""

    def __init__(self, session: AsyncSession, outbox: Outbox) -> None:
        self._session = session
        self._changed = outbox

    async def add(self, execution: NewExecution) -> None:
        """Insert a scheduled execution; the database refuses one without its approvals."""
        values = {**execution.model_dump(), "verdict": DecisionVerdict.APPROVE, "status": ExecutionStatus.SCHEDULED}
        await self._session.execute(insert(_EXECUTIONS).values(**values))
        await self._changed.request_changed(execution.request_id, workspace=execution.workspace_id)

    async def get(self, execution_id: ExecutionId) -> Execution | None:
        """Read without locking."""
        return await self._one(ExecutionRow.id == execution_id)

    async def lock(self, execution_id: ExecutionId) -> Execution | None:
        """Read and lock; always after ticket and request."""
        return await self._one(ExecutionRow.id == execution_id, lock=True)

    async def by_action(self, workspace: WorkspaceId, action_id: ActionId) -> Execution | None:
        """Find the execution of an action."""
        return await self._one((ExecutionRow.workspace_id == workspace) & (ExecutionRow.action_id == action_id))

    async def by_request(self, request_id: RequestId) -> Execution | None:
        """Find the execution of a request."""
        return await self._one(ExecutionRow.request_id == request_id)

    async def unfinished_in(self, workspace: WorkspaceId, *, limit: int) -> tuple[Execution, ...]:
        """Executions that are not at an end, oldest first."""
        here = (ExecutionRow.workspace_id == workspace) & ExecutionRow.status.not_in(TERMINAL)
        return await self._all(here, limit=limit)

    async def move(self, execution: Execution, to: ExecutionStatus, **changes: Any) -> bool:  # noqa: ANN401 - columns
        """Compare-and-set the status and generation seen in `execution`; False means that another was first."""
        finished = {"finished_at": database_now()} if to in TERMINAL else {}
        result = await self._session.execute(
            update(_EXECUTIONS)
            .where(
                ExecutionRow.id == execution.id,
                ExecutionRow.status == execution.status,
                ExecutionRow.generation == execution.generation,
            )
            .values(status=to, **finished, **changes)
            .returning(ExecutionRow.id)
        )
        await self._changed.request_changed(execution.request_id, workspace=execution.workspace_id)
        return result.first() is not None

    async def set(self, execution: Execution, **changes: Any) -> bool:  # noqa: ANN401 - columns
        """Change other columns while status and generation are as seen."""
        return await self.move(execution, execution.status, **changes)

    async def begin_attempt(self, attempt: NewAttempt) -> None:
        """Insert the attempt of a generation; a generation has one at most."""
        await self._session.execute(insert(_ATTEMPTS).values(**attempt.model_dump()))

    async def attempt(self, execution: Execution) -> Attempt | None:
        """The attempt of the execution's present generation."""
        return await self._attempt(
            (AttemptRow.execution_id == execution.id) & (AttemptRow.generation == execution.generation)
        )

    async def attempts(self, execution_id: ExecutionId) -> tuple[Attempt, ...]:
        """All attempts, oldest first."""
        found = await self._session.execute(
            select(_ATTEMPTS).where(AttemptRow.execution_id == execution_id).order_by(AttemptRow.generation)
        )
        return tuple(Attempt.model_validate(dict(row)) for row in found.mappings())

    async def mark(self, attempt_id: AttemptId) -> bool:
        """Set the mail marker once, while lease and state still allow the call; False means: do not send."""
        executing = exists().where(
            ExecutionRow.id == AttemptRow.execution_id,
            ExecutionRow.status == ExecutionStatus.EXECUTING,
            ExecutionRow.generation == AttemptRow.generation,
        )
        result = await self._session.execute(
            update(_ATTEMPTS)
            .where(
                AttemptRow.id == attempt_id,
                AttemptRow.marked_at.is_(None),
                AttemptRow.finished_at.is_(None),
                AttemptRow.leased_until > database_now(),
                executing,
            )
            .values(marked_at=database_now())
            .returning(AttemptRow.id)
        )
        return result.first() is not None

    async def mailed(self, workspace: WorkspaceId, address: str, *, within: timedelta) -> int:
        """How many letters were begun to be handed over for a requester's address, from now back."""
        since = (await self._session.execute(select(database_now()))).scalar_one() - within
        query = (
            select(func.count())
            .select_from(_ATTEMPTS.join(_TICKETS, _TICKETS.c.id == AttemptRow.ticket_id))
            .where(
                AttemptRow.marked_at > since,
                AttemptRow.workspace_id == workspace,
                func.lower(_TICKETS.c.requester_email) == address.lower(),
            )
        )
        return int(await self._session.scalar(query) or 0)

    async def finish_attempt(self, attempt_id: AttemptId, *, outcome: str, receipt: str | None, error: str) -> bool:
        """Write down once what came of a try; evidence, whoever decides on the execution."""
        result = await self._session.execute(
            update(_ATTEMPTS)
            .where(AttemptRow.id == attempt_id, AttemptRow.finished_at.is_(None))
            .values(outcome=outcome, receipt=receipt, error=error or None, finished_at=database_now())
            .returning(AttemptRow.id)
        )
        return result.first() is not None

    async def lapsed(self, *, limit: int) -> tuple[Execution, ...]:
        """Executing ones whose attempt's lease is over: their worker is dead or asleep."""
        over = exists().where(
            AttemptRow.execution_id == ExecutionRow.id,
            AttemptRow.generation == ExecutionRow.generation,
            AttemptRow.leased_until <= database_now(),
        )
        return await self._all((ExecutionRow.status == ExecutionStatus.EXECUTING) & over, limit=limit)

    async def to_ask(self, *, limit: int) -> tuple[Execution, ...]:
        """In doubt, and due to be asked about."""
        due = ExecutionRow.next_check_at.is_not(None) & (ExecutionRow.next_check_at <= database_now())
        return await self._all((ExecutionRow.status == ExecutionStatus.IN_DOUBT) & due, limit=limit)

    async def orphaned(self, *, since: datetime, limit: int) -> tuple[Execution, ...]:
        """Scheduled ones that were due before `since` and that no waiting outbox row calls for any more."""
        called = exists().where(
            _OUTBOX.c.subject == ExecutionRow.id,
            _OUTBOX.c.name == EventName.EXECUTION_DUE,
            _OUTBOX.c.done_at.is_(None),
            _OUTBOX.c.buried_at.is_(None),
        )
        overdue = (ExecutionRow.status == ExecutionStatus.SCHEDULED) & (ExecutionRow.not_before < since)
        return await self._all(overdue & ~called, limit=limit)

    async def knows_marker(self, workspace: WorkspaceId, marker: str) -> bool:
        """Whether one of our attempts carries this marker: an inbound message with it is our own echo."""
        found = select(exists().where(AttemptRow.workspace_id == workspace, AttemptRow.key == marker))
        return bool(await self._session.scalar(found))

    async def executing_on(self, ticket_id: TicketId) -> bool:
        """Whether an attempt on this ticket is under way, in doubt, or so fresh that its echo may still be coming."""
        since = (await self._session.execute(select(database_now()))).scalar_one() - ECHO_TIME
        fresh = or_(
            ExecutionRow.status.in_((ExecutionStatus.EXECUTING, ExecutionStatus.IN_DOUBT)),
            ExecutionRow.finished_at > since,
        )
        begun = exists().where(AttemptRow.ticket_id == ticket_id, AttemptRow.execution_id == ExecutionRow.id, fresh)
        return bool(await self._session.scalar(select(begun)))

    async def due_handled(self, execution_id: ExecutionId) -> None:
        """Close the outbox rows that called for this execution, in the transaction that answers them."""
        await self._session.execute(
            update(_OUTBOX)
            .where(_OUTBOX.c.subject == execution_id, _OUTBOX.c.name == EventName.EXECUTION_DUE)
            .where(_OUTBOX.c.done_at.is_(None))
            .values(done_at=database_now())
        )

    async def _one(self, where: ColumnElement[bool], *, lock: bool = False) -> Execution | None:
        query = select(_EXECUTIONS).where(where)
        row = (await self._session.execute(query.with_for_update(key_share=True) if lock else query)).mappings().first()
        return None if row is None else Execution.model_validate(dict(row))

    async def _all(self, where: ColumnElement[bool], *, limit: int) -> tuple[Execution, ...]:
        found = await self._session.execute(select(_EXECUTIONS).where(where).order_by(ExecutionRow.id).limit(limit))
        return tuple(Execution.model_validate(dict(row)) for row in found.mappings())

    async def _attempt(self, where: ColumnElement[bool]) -> Attempt | None:
        row = (await self._session.execute(select(_ATTEMPTS).where(where))).mappings().first()
        return None if row is None else Attempt.model_validate(dict(row))
