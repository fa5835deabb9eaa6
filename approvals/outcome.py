"""Step three of an execution: save what came of a call, by compare-and-set and only while the lease holds."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from approvals.attempts import Case, Started, lease_over, lock_case
from approvals.consequences import Consequences, call_for
from approvals.lifecycle import ExecutionTrigger, execution_after
from approvals.ports import Conflict, NotNow, Performed, Receipt, Refused, Unknown
from db.engine import Database
from db.repositories.executions import Execution
from db.uow import UnitOfWork
from support_agents.domain.approval import ExecutionStatus
from support_agents.domain.ids import ExecutionId

FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
_CAME_TO_NOTHING = {ExecutionStatus.FAILED, ExecutionStatus.CANCELLED, ExecutionStatus.SUPERSEDED}


@dataclass(frozen=True)
class Result:
    """A call's answer as it is written down: which trigger, which receipt, which words."""

    trigger: ExecutionTrigger
    receipt: str | None = None
    reason: str = ""


@dataclass(frozen=True)
class Outcome:
    """Receipt, status, ledger and audit in one transaction."""

    database: Database
    consequences: Consequences

    async def commit(self, started: Started, performed: Performed) -> ExecutionStatus:
        """Save the outcome; a worker whose lease is over leaves evidence only, and the state becomes in doubt."""
        result = result_of(performed)
        async with self.database.write("execution_result") as uow:
            case = await lock_case(uow, started.case.execution.id)
            await uow.executions.finish_attempt(
                started.attempt.id, outcome=result.trigger, receipt=result.receipt, error=result.reason
            )
            now = await uow.now()
            attempt = case.attempt
            mine = attempt is not None and attempt.id == started.attempt.id
            if not mine or case.execution.status is not ExecutionStatus.EXECUTING:
                return await self._evidence(uow, case, started, performed)
            if lease_over(attempt, now):
                await _late(uow, case, started)
                result = Result(ExecutionTrigger.OUTCOME_UNKNOWN, reason="its worker came back after its lease")
            elif isinstance(performed, NotNow):
                return await self._later(uow, case, performed, now)
            return await self.settle(uow, case, result, next_check_at=attempt.leased_until if attempt else now, now=now)

    async def reconsider(self, execution_id: ExecutionId, answer: Receipt | Unknown) -> ExecutionStatus:
        """Doubt that one which was scheduled again has not happened: the provider does not say so any more."""
        async with self.database.write("in_doubt") as uow:
            case = await lock_case(uow, execution_id)
            if case.execution.status is not ExecutionStatus.SCHEDULED:
                return case.execution.status
            return await self._reconsider(uow, case, answer)

    async def _later(self, uow: UnitOfWork, case: Case, answer: NotNow, now: datetime) -> ExecutionStatus:
        """Nothing happened: schedule the next generation within the approval's life, or give up with the reason."""
        execution, wait = case.execution, patience(case.execution.generation)
        if now + wait >= case.request.expires_at:
            over = Result(ExecutionTrigger.REFUSED, reason=f"it could not be done in time: {answer.reason}")
            return await self.settle(uow, case, over, next_check_at=now, now=now)
        doubt = execution_after(execution.status, ExecutionTrigger.OUTCOME_UNKNOWN)
        to = execution_after(doubt, ExecutionTrigger.PROVED_ABSENT)
        following = execution.generation + 1
        again = {"generation": following, "not_before": now + wait, "next_check_at": None, "reason": answer.reason}
        if await uow.executions.move(execution, to, **again):
            await uow.refund_ledger.release(execution.workspace_id, execution.action_id)
            await call_for(uow, execution, at=now + wait)
            await uow.audit.append(
                workspace=execution.workspace_id, event="execution.postponed", subject=execution.id, actor="system",
                data={"generation": str(following)},
            )  # fmt: skip
        return to

    async def _evidence(self, uow: UnitOfWork, case: Case, started: Started, performed: Performed) -> ExecutionStatus:
        """Keep what a late worker brings; where it proves an effect that nobody reckons with any more, say so."""
        status = await _late(uow, case, started)
        if not isinstance(performed, Receipt):
            return status
        if status is ExecutionStatus.SCHEDULED:
            return await self._reconsider(uow, case, performed)
        if status in _CAME_TO_NOTHING:
            why = f"it is {status}, but it has happened after all: {performed.reference}"
            await uow.tickets.needs_person(case.ticket.id, why)
        return status

    async def _reconsider(self, uow: UnitOfWork, case: Case, answer: Receipt | Unknown) -> ExecutionStatus:
        reason = "it happened late" if isinstance(answer, Receipt) else answer.reason
        status = await self.doubt(uow, case, reason)
        if isinstance(answer, Unknown):
            return status
        now = await uow.now()
        found = Result(ExecutionTrigger.FOUND, receipt=answer.reference)
        return await self.settle(uow, await lock_case(uow, case.execution.id), found, next_check_at=now, now=now)

    async def settle(
        self, uow: UnitOfWork, case: Case, result: Result, *, next_check_at: datetime, now: datetime
    ) -> ExecutionStatus:
        """Move the execution and let everything follow that its new status brings."""
        execution = case.execution
        to = execution_after(execution.status, result.trigger)
        check = next_check_at if to is ExecutionStatus.IN_DOUBT else None
        moved = await uow.executions.move(
            execution, to, reason=result.reason, receipt=result.receipt, next_check_at=check
        )
        if not moved:
            return execution.status
        if result.trigger is ExecutionTrigger.REVERSED_BY_PROVIDER:
            await uow.refund_ledger.give_back(execution.workspace_id, execution.action_id)
        match to:
            case ExecutionStatus.SUCCEEDED:
                await self.consequences.succeeded(uow, execution, now=now)
            case ExecutionStatus.FAILED | ExecutionStatus.SUPERSEDED | ExecutionStatus.CANCELLED:
                await self.consequences.came_to_nothing(uow, execution, to=to, reason=result.reason)
            case _:
                pass
        await uow.audit.append(
            workspace=execution.workspace_id, event=f"execution.{to}", subject=execution.id, actor="system",
            data={"trigger": result.trigger, "generation": str(execution.generation)},
        )  # fmt: skip
        if to is ExecutionStatus.SUCCEEDED and result.receipt is not None:
            return await self._unless_failed(uow, execution, result.receipt, now)
        return to

    async def _unless_failed(
        self, uow: UnitOfWork, execution: Execution, receipt: str, now: datetime
    ) -> ExecutionStatus:
        """A provider's word that it failed may have been here before our own answer."""
        if not await uow.provider_events.says_failed(execution.workspace_id, receipt):
            return ExecutionStatus.SUCCEEDED
        case = await lock_case(uow, execution.id)
        reason = f"the provider had said already that {receipt} failed"
        failed = Result(ExecutionTrigger.REVERSED_BY_PROVIDER, receipt=receipt, reason=reason)
        return await self.settle(uow, case, failed, next_check_at=now, now=now)

    async def doubt(self, uow: UnitOfWork, case: Case, reason: str) -> ExecutionStatus:
        """Have one that was scheduled again asked about first."""
        now = await uow.now()
        await uow.executions.due_handled(case.execution.id)
        unknown = Result(ExecutionTrigger.OUTCOME_UNKNOWN, reason=reason)
        return await self.settle(uow, case, unknown, next_check_at=now, now=now)


def patience(generation: int) -> timedelta:
    """How long to wait before the try after this one: doubling, as mail servers that greylist expect."""
    return min(FIRST_WAIT * (1 << min(generation - 1, 16)), LONGEST_WAIT)


def result_of(performed: Performed) -> Result:
    """Translate a provider's answer into the trigger that it pulls."""
    match performed:
        case Receipt(reference=reference):
            return Result(ExecutionTrigger.SUCCEEDED, receipt=reference)
        case Refused(message=message):
            return Result(ExecutionTrigger.REFUSED, reason=message)
        case NotNow(reason=reason):
            return Result(ExecutionTrigger.PROVED_ABSENT, reason=reason)
        case Conflict(reason=reason):
            return Result(ExecutionTrigger.PRECONDITION_FAILED, reason=reason)
        case Unknown(reason=reason):
            return Result(ExecutionTrigger.OUTCOME_UNKNOWN, reason=reason)


async def _late(uow: UnitOfWork, case: Case, started: Started) -> ExecutionStatus:
    await uow.audit.append(
        workspace=case.execution.workspace_id, event="attempt.late", subject=case.execution.id, actor="system",
        data={"attempt": str(started.attempt.id), "status": case.execution.status},
    )  # fmt: skip
    return case.execution.status
