"""Folds what a payment provider tells afterwards, signed, into executions; it calls nobody and books no refund.

Events come several times and in any order: each is kept once, a failure is for good, and one that came before our own
call had an answer is remembered until then (`Outcome.settle` looks).
"""

from dataclasses import dataclass

from approvals.attempts import Case, lock_case
from approvals.lifecycle import ExecutionTrigger
from approvals.outcome import Outcome, Result
from db.engine import Database
from db.models.provider_events import ProviderOutcome
from db.repositories.provider_events import NewProviderEvent
from db.uow import UnitOfWork
from support_agents.domain.approval import ExecutionStatus
from support_agents.domain.ids import ExecutionId

_CAME_TO_NOTHING = {ExecutionStatus.FAILED, ExecutionStatus.CANCELLED, ExecutionStatus.SUPERSEDED}


@dataclass(frozen=True)
class ProviderEvents:
    """Take one event: stored raw and folded in one transaction, so that acknowledging it is safe."""

    database: Database
    outcome: Outcome

    async def take(self, event: NewProviderEvent) -> bool:
        """Return whether it is new."""
        async with self.database.write("provider_event", urgent=True) as uow:
            if not await uow.provider_events.add(event):
                return False
            for execution_id in await uow.provider_events.concerned(event):
                await self._fold(uow, execution_id, event)
        return True

    async def _fold(self, uow: UnitOfWork, execution_id: ExecutionId, event: NewProviderEvent) -> None:
        case = await lock_case(uow, execution_id)
        await uow.audit.append(
            workspace=event.workspace_id, event=f"provider.{event.outcome}", subject=execution_id, actor=event.provider,
            data={"event": event.event_id, "reference": event.reference},
        )  # fmt: skip
        match event.outcome:
            case ProviderOutcome.FAILED:
                await self._failed(uow, case, event)
            case ProviderOutcome.SUCCEEDED:
                await self._happened(uow, case, event)
            case ProviderOutcome.REVERSED:
                why = f"{event.provider} has taken the payment {event.payment_ref} back by itself: look at what is owed"
                await uow.tickets.needs_person(case.ticket.id, why)
            case ProviderOutcome.PENDING | ProviderOutcome.NOTED:
                await self._ask_now(uow, case)

    async def _failed(self, uow: UnitOfWork, case: Case, event: NewProviderEvent) -> None:
        """The bank let it fail: money and ticket go back; one that waits for its answer hears it when that comes."""
        execution = case.execution
        why = f"{event.provider} says that the refund {event.reference} failed afterwards"
        if execution.status is ExecutionStatus.SUCCEEDED and execution.receipt in {event.reference, None}:
            now = await uow.now()
            failed = Result(ExecutionTrigger.REVERSED_BY_PROVIDER, receipt=event.reference, reason=why)
            await self.outcome.settle(uow, case, failed, next_check_at=now, now=now)
        elif execution.status is ExecutionStatus.SUCCEEDED:
            await uow.tickets.needs_person(case.ticket.id, f"{why}; on record is {execution.receipt}: look at both")
        elif execution.status is ExecutionStatus.IN_DOUBT:
            await uow.executions.set(execution, next_check_at=None, reason=why)
            await uow.tickets.needs_person(case.ticket.id, f"in doubt: {why}")

    async def _happened(self, uow: UnitOfWork, case: Case, event: NewProviderEvent) -> None:
        execution = case.execution
        if await uow.provider_events.says_failed(event.workspace_id, event.reference):
            return
        if execution.status in _CAME_TO_NOTHING:
            why = f"it is {execution.status}, but {event.provider} says it has happened: {event.reference}"
            await uow.tickets.needs_person(case.ticket.id, why)
        elif execution.restored or execution.status is ExecutionStatus.SCHEDULED:
            # The reconciler finds it and books the order's money too, which a restore may have lost.
            await self._ask_now(uow, case)
        elif execution.status is ExecutionStatus.IN_DOUBT:
            now = await uow.now()
            found = Result(ExecutionTrigger.FOUND, receipt=event.reference)
            await self.outcome.settle(uow, case, found, next_check_at=now, now=now)

    async def _ask_now(self, uow: UnitOfWork, case: Case) -> None:
        """Something moved at the provider: have it asked without waiting, unless a restored database is held back."""
        execution = case.execution
        if (await uow.workspaces.get(execution.workspace_id)).quarantined_at is not None:
            return
        if execution.status is ExecutionStatus.IN_DOUBT and execution.next_check_at is not None:
            await uow.executions.set(execution, next_check_at=await uow.now())
        elif execution.status is ExecutionStatus.SCHEDULED and execution.generation > 1:
            await self.outcome.doubt(uow, case, "its provider tells of it")
