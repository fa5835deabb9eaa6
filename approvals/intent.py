"""Step one of an execution: commit the intent, on conditions, before any call; it never calls anybody."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from approvals.attempts import Case, Started, Timing, lock_case
from approvals.canonical import AnyAction, CanonicalRefund
from approvals.consequences import Consequences, call_for, is_dry_run
from approvals.decision_seal import DecisionSeal
from approvals.entitlement import Entitlement
from approvals.executors.protocol import Changed, Unreachable, World
from approvals.lifecycle import ExecutionTrigger, execution_after
from db.engine import Database
from db.repositories.executions import Execution, NewAttempt
from db.repositories.refund_ledger import OrderMoney, Reservation
from db.uow import UnitOfWork
from support_agents.domain.approval import ExecutionStatus, RequestStatus
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import AttemptId, ExecutionId, new_id


@dataclass(frozen=True)
class Intent:
    """Checks revision, digest, switches, world and authority; reserves money; moves scheduled to executing."""

    database: Database
    consequences: Consequences
    timing: Timing
    entitlement: Entitlement
    seal: DecisionSeal

    async def commit(
        self, execution_id: ExecutionId, *, world: World | Changed | Unreachable, call_limit: timedelta, begin_by: float
    ) -> Started | ExecutionStatus:
        """Return the attempt that may now call, or where the execution stands instead; its outbox row is done."""
        async with self.database.write("execution_intent") as uow:
            case = await lock_case(uow, execution_id)
            await uow.executions.due_handled(execution_id)
            if case.execution.status is not ExecutionStatus.SCHEDULED:
                return case.execution.status
            now = await uow.now()
            later = await self._later(uow, case, world, now)
            if later is not None:
                await call_for(uow, case.execution, at=later)
                return ExecutionStatus.SCHEDULED
            if isinstance(world, Changed | Unreachable):
                return await self._overtake(uow, case, world.reason)
            objection = await self._objection(uow, case, world)
            if objection is not None:
                return await self._overtake(uow, case, objection)
            attempt = _attempt(case.execution, world, now=now, lease=call_limit + self.timing.margin)
            await _start(uow, case.execution, attempt)
            return Started(case, case.action(), attempt, begin_by)

    async def _later(
        self, uow: UnitOfWork, case: Case, world: World | Changed | Unreachable, now: datetime
    ) -> datetime | None:
        """When to try again, if now is not the time: switched off, too early, or the world does not answer."""
        execution = case.execution
        if not await uow.dispatch_stops.may_leave(execution.workspace_id, kind=execution.kind, way=execution.way):
            return now + self.timing.paused
        if now < case.execution.not_before:
            return case.execution.not_before
        if isinstance(world, Unreachable) and now < case.execution.not_before + self.timing.give_up:
            return now + self.timing.paused
        return None

    async def _objection(self, uow: UnitOfWork, case: Case, world: World) -> str | None:
        """Why the approved action must not be carried out, if so; reserves a refund's money as the last condition."""
        if case.request.status is not RequestStatus.APPROVED:
            return f"the approval request is {case.request.status}"
        if case.ticket.revision != case.request.ticket_revision:
            return "the ticket has moved on since it was approved"
        try:
            action = case.action()
        except SupportError as error:
            return error.message
        wrong = _misplaced(case, action)
        if wrong is None and action.after is not None:
            wrong = await _not_yet(uow, action)
        if wrong is None and isinstance(action, CanonicalRefund):
            wrong = await self._reserve(uow, case, action, world)
        return wrong or await self.entitlement.objection(uow, case.request, self.seal)

    async def _reserve(self, uow: UnitOfWork, case: Case, action: CanonicalRefund, world: World) -> str | None:
        if world.paid is None or world.refunded is None or world.version != action.order_version:
            return "the order has changed since the refund was approved"
        money = OrderMoney(order_id=action.order_id, paid=world.paid, refunded=world.refunded)
        claim = Reservation(
            execution_id=case.execution.id,
            action_id=action.action,
            amount=action.amount,
            payment_ref=action.payment_ref,
        )
        if await uow.refund_ledger.reserve(action.workspace, money, claim):
            return None
        return "with what is refunded or being refunded already it would be more than was paid"

    async def _overtake(self, uow: UnitOfWork, case: Case, reason: str) -> ExecutionStatus:
        to = execution_after(case.execution.status, ExecutionTrigger.OVERTAKEN)
        await uow.executions.move(case.execution, to, reason=reason)
        await self.consequences.came_to_nothing(uow, case.execution, to=to, reason=reason)
        await uow.audit.append(
            workspace=case.execution.workspace_id, event=f"execution.{to}", subject=case.execution.id, actor="system"
        )
        return to


def _attempt(execution: Execution, world: World, *, now: datetime, lease: timedelta) -> NewAttempt:
    return NewAttempt(
        id=AttemptId(new_id()),
        workspace_id=execution.workspace_id,
        execution_id=execution.id,
        ticket_id=execution.ticket_id,
        generation=execution.generation,
        key=f"{execution.action_id}.{execution.generation}",
        world=world.version,
        started_at=now,
        leased_until=now + lease,
    )


async def _start(uow: UnitOfWork, execution: Execution, attempt: NewAttempt) -> None:
    to = execution_after(execution.status, ExecutionTrigger.STARTED)
    if not await uow.executions.move(execution, to, reason="", next_check_at=None, checks=0):
        raise SupportError("conflict", "somebody else started it", retryable=True)
    await uow.executions.begin_attempt(attempt)
    await uow.audit.append(
        workspace=execution.workspace_id, event="execution.started", subject=execution.id, actor="system",
        data={"attempt": str(attempt.id), "generation": str(attempt.generation), "digest": execution.digest},
    )  # fmt: skip


def _misplaced(case: Case, action: AnyAction) -> str | None:
    """Whether the decoded bytes speak of another place, action, way or person than the rows."""
    told = (action.workspace, action.ticket, action.action, action.kind, action.way, action.revision)
    execution, request = case.execution, case.request
    rows = (
        execution.workspace_id, execution.ticket_id, execution.action_id, execution.kind, execution.way,
        request.ticket_revision,
    )  # fmt: skip
    if told != rows:
        return "the stored action and its execution disagree"
    return None if action.concerns == case.ticket.requester_email else "the ticket has another requester now"


async def _not_yet(uow: UnitOfWork, action: AnyAction) -> str | None:
    if action.after is None:
        return None
    first = await uow.executions.by_action(action.workspace, action.after)
    if first is None or first.status is not ExecutionStatus.SUCCEEDED:
        return "what it states has not happened"
    request = await uow.approvals.get(first.request_id)
    imagined = request is not None and is_dry_run(request) and not action.dry_run
    return "what it states was a dry run" if imagined else None
