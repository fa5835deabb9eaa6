"""Finds out what became of executions in doubt by asking the provider, late enough; it repeats no effect itself."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from approvals.attempts import Case, Timing, lease_over, lock_case
from approvals.canonical import AnyAction, CanonicalRefund, Way
from approvals.consequences import call_for
from approvals.executors.protocol import CannotBeAsked, Executor, Past, World
from approvals.lifecycle import ExecutionTrigger, execution_after
from approvals.outcome import Outcome, Result
from approvals.ports import Absent, Found, Receipt, Unknown
from db.engine import Database
from db.repositories.executions import Execution
from db.repositories.refund_ledger import OrderMoney, Reservation
from db.uow import UnitOfWork
from support_agents.domain.approval import ExecutionStatus
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import ExecutionId


@dataclass(frozen=True)
class Reconciling:
    """Executing with a lapsed lease → in doubt → found, proved absent, asked again later, or to a person."""

    database: Database
    executors: Mapping[Way, Executor]
    outcome: Outcome
    timing: Timing

    async def due(self, *, limit: int) -> tuple[ExecutionId, ...]:
        """Return executions to reconcile: lease lapsed, to be asked about, or scheduled and forgotten."""
        async with self.database.read() as uow:
            since = await uow.now() - self.timing.orphaned
            lapsed = await uow.executions.lapsed(limit=limit)
            to_ask = await uow.executions.to_ask(limit=limit)
            orphaned = await uow.executions.orphaned(since=since, limit=limit)
        return tuple(execution.id for execution in (*lapsed, *to_ask, *orphaned))[:limit]

    async def reconcile(self, execution_id: ExecutionId) -> ExecutionStatus:
        """Take one execution a step further, if its time has come."""
        case = await self._in_doubt(execution_id)
        if isinstance(case, ExecutionStatus):
            return case
        answer, world = await self._answer(case)
        return await self._commit(case, answer, world)

    async def _in_doubt(self, execution_id: ExecutionId) -> Case | ExecutionStatus:
        """Commit the doubt first, so that no worker can decide any more while the provider is asked."""
        async with self.database.write("in_doubt") as uow:
            case = await lock_case(uow, execution_id)
            now = await uow.now()
            execution = case.execution
            if execution.status is ExecutionStatus.SCHEDULED:
                await self._call_again(uow, execution, now)
                return execution.status
            if (await uow.workspaces.get(execution.workspace_id)).quarantined_at is not None:
                return execution.status
            if execution.status is ExecutionStatus.EXECUTING:
                if not lease_over(case.attempt, now):
                    return execution.status
                lapsed = Result(ExecutionTrigger.OUTCOME_UNKNOWN, reason="its worker did not come back")
                await self.outcome.settle(uow, case, lapsed, next_check_at=now, now=now)
                case = await lock_case(uow, execution_id)
            if case.execution.status is not ExecutionStatus.IN_DOUBT:
                return case.execution.status
            asked_from = max((a.leased_until for a in case.attempts), default=now)
            if now < asked_from:
                await uow.executions.set(case.execution, next_check_at=asked_from)
                return ExecutionStatus.IN_DOUBT
            return case

    async def _call_again(self, uow: UnitOfWork, execution: Execution, now: datetime) -> None:
        orphans = await uow.executions.orphaned(since=now - self.timing.orphaned, limit=1_000)
        if execution.id in {orphan.id for orphan in orphans}:
            await call_for(uow, execution, at=now)

    async def _answer(self, case: Case) -> tuple[Found | CannotBeAsked, World | None]:
        """Ask outside any transaction: our own late evidence first, then the provider."""
        if case.evidence is not None:
            return Receipt(case.evidence), None
        try:
            action = case.action()
        except SupportError as error:
            return CannotBeAsked(error.message), None
        executor = self.executors.get(action.way)
        if executor is None:
            return CannotBeAsked("what carried it out is no longer connected"), None
        return await self._ask(executor, action, case)

    async def _ask(
        self, executor: Executor, action: AnyAction, case: Case
    ) -> tuple[Found | CannotBeAsked, World | None]:
        past = past_of(case)
        try:
            async with asyncio.timeout(executor.call_limit.total_seconds()):
                found = await executor.find(action, past)
                if isinstance(found, Receipt) and case.execution.restored and isinstance(action, CanonicalRefund):
                    world = await executor.look(action, case.ticket.requester)
                    return found, world if isinstance(world, World) else None
                return found, None
        except TimeoutError:
            return Unknown("the provider did not answer in time"), None

    async def _commit(self, seen: Case, answer: Found | CannotBeAsked, world: World | None) -> ExecutionStatus:
        async with self.database.write("reconcile") as uow:
            case = await lock_case(uow, seen.execution.id)
            same = (case.execution.status, case.execution.generation) == (
                ExecutionStatus.IN_DOUBT, seen.execution.generation,
            )  # fmt: skip
            if not same:
                return case.execution.status
            now = await uow.now()
            match answer:
                case Receipt(reference=reference):
                    await book_found(uow, case, world)
                    found = Result(ExecutionTrigger.FOUND, receipt=reference)
                    return await self.outcome.settle(uow, case, found, next_check_at=now, now=now)
                case Absent():
                    return await self._again(uow, case, now)
                case Unknown(reason=reason):
                    return await self._ask_later(uow, case, reason, now)
                case CannotBeAsked(reason=reason):
                    return await _to_a_person(uow, case, reason)

    async def _again(self, uow: UnitOfWork, case: Case, now: datetime) -> ExecutionStatus:
        """Proved absent: schedule the next generation, unless that has been tried often enough."""
        execution = case.execution
        if execution.generation >= self.timing.generations:
            return await _to_a_person(uow, case, f"tried {execution.generation} times, and nothing happened")
        to = execution_after(execution.status, ExecutionTrigger.PROVED_ABSENT)
        at = now + self.timing.retry(execution.generation - 1)
        following = execution.generation + 1
        changes = {"generation": following, "not_before": at, "next_check_at": None, "restored": False}
        if await uow.executions.move(execution, to, **changes):
            await uow.refund_ledger.release(execution.workspace_id, execution.action_id)
            await call_for(uow, execution, at=at)
            await uow.audit.append(
                workspace=execution.workspace_id, event="execution.rescheduled", subject=execution.id, actor="system",
                data={"generation": str(following)},
            )  # fmt: skip
        return to

    async def _ask_later(self, uow: UnitOfWork, case: Case, reason: str, now: datetime) -> ExecutionStatus:
        execution = case.execution
        at = now + self.timing.retry(execution.checks)
        await uow.executions.set(execution, next_check_at=at, checks=execution.checks + 1, reason=reason)
        if execution.checks + 1 == self.timing.generations:
            await uow.tickets.needs_person(execution.ticket_id, f"in doubt, and the provider does not answer: {reason}")
        return execution.status


def past_of(case: Case) -> Past:
    """What our rows tell of all attempts so far."""
    execution = case.execution
    return Past(
        key=f"{execution.action_id}.{execution.generation}",
        marked=any(attempt.marked_at is not None for attempt in case.attempts),
        restored=execution.restored,
    )


async def _to_a_person(uow: UnitOfWork, case: Case, reason: str) -> ExecutionStatus:
    await uow.executions.set(case.execution, next_check_at=None, reason=reason)
    await uow.tickets.needs_person(case.execution.ticket_id, f"in doubt: {reason}")
    await uow.audit.append(
        workspace=case.execution.workspace_id, event="execution.to_a_person", subject=case.execution.id, actor="system"
    )
    return case.execution.status


async def book_found(uow: UnitOfWork, case: Case, world: World | None) -> None:
    """After a restore the reservation may be lost with the lost time: make it, so that the sums are right."""
    if world is None or world.paid is None or world.refunded is None:
        return
    action = case.action()
    if isinstance(action, CanonicalRefund):
        money = OrderMoney(order_id=action.order_id, paid=world.paid, refunded=world.refunded)
        claim = Reservation(
            execution_id=case.execution.id,
            action_id=action.action,
            amount=action.amount,
            payment_ref=action.payment_ref,
        )
        await uow.refund_ledger.reserve(action.workspace, money, claim)
