"""Step three of an execution: save what came of a call, by compare-and-set and only while the lease holds."""

from dataclasses import dataclass
from datetime import datetime

from approvals.attempts import Case, Started, lease_over, lock_case
from approvals.consequences import Consequences
from approvals.lifecycle import ExecutionTrigger, execution_after
from approvals.ports import Conflict, Performed, Receipt, Refused, Unknown
from db.engine import Database
from db.uow import UnitOfWork
from support_agents.domain.approval import ExecutionStatus
from support_agents.domain.ids import ExecutionId

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
            attempt = await uow.executions.attempt(case.execution)
            mine = attempt is not None and attempt.id == started.attempt.id
            if not mine or case.execution.status is not ExecutionStatus.EXECUTING:
                return await self._evidence(uow, case, started, performed)
            if lease_over(attempt, now):
                await _late(uow, case, started)
                result = Result(ExecutionTrigger.OUTCOME_UNKNOWN, reason="its worker came back after its lease")
            return await self.settle(uow, case, result, next_check_at=attempt.leased_until if attempt else now, now=now)

    async def reconsider(self, execution_id: ExecutionId, answer: Receipt | Unknown) -> ExecutionStatus:
        """Doubt that one which was scheduled again has not happened: the provider does not say so any more."""
        async with self.database.write("in_doubt") as uow:
            case = await lock_case(uow, execution_id)
            if case.execution.status is not ExecutionStatus.SCHEDULED:
                return case.execution.status
            return await self._reconsider(uow, case, answer)

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
        now = await uow.now()
        await uow.executions.due_handled(case.execution.id)
        reason = "it happened late" if isinstance(answer, Receipt) else answer.reason
        doubt = Result(ExecutionTrigger.OUTCOME_UNKNOWN, reason=reason)
        status = await self.settle(uow, case, doubt, next_check_at=now, now=now)
        if isinstance(answer, Unknown):
            return status
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
        return to


def result_of(performed: Performed) -> Result:
    """Translate a provider's answer into the trigger that it pulls."""
    match performed:
        case Receipt(reference=reference):
            return Result(ExecutionTrigger.SUCCEEDED, receipt=reference)
        case Refused(message=message):
            return Result(ExecutionTrigger.REFUSED, reason=message)
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
