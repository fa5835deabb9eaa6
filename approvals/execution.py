"""Carries out approved actions in three steps: one effect at most, and never a blind retry of an unknown outcome."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from approvals.attempts import Case, Started, Timing, lock_case, read_case
from approvals.authority import BUILT_IN, Authority, require_not_own, require_role
from approvals.canonical import AnyAction, Way
from approvals.consequences import Consequences
from approvals.decision_seal import DecisionSeal
from approvals.entitlement import Entitlement
from approvals.executors.dry_run import mismatch_of_dry_run
from approvals.executors.protocol import Call, CannotBeAsked, Changed, Executor, Unreachable, World
from approvals.intent import Intent
from approvals.lifecycle import ExecutionTrigger
from approvals.limits import Limits
from approvals.outcome import Outcome, Result
from approvals.ports import Absent, Performed, Person, Receipt, Unknown
from approvals.presence import require_present
from approvals.reconciling import Reconciling, book_found, past_of
from db.engine import Database
from support_agents.domain.action import ActionKind
from support_agents.domain.approval import ExecutionStatus
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import ExecutionId, WorkspaceId

NO_CALL = timedelta(seconds=1)


async def _nowhere(_workspace: WorkspaceId) -> None:
    """Nothing outside the database has to know."""


@dataclass(frozen=True)
class Executions:
    """Carry out, cancel, reconcile, resolve. `executors` holds the ways out that this installation has.

    `anchor` makes known outside the database what has been committed: it is called before each call to a provider, so
    that a backup which does not know of an effect is recognised as behind.
    """

    database: Database
    executors: Mapping[Way, Executor]
    consequences: Consequences
    timing: Timing = field(default_factory=Timing)
    monotonic: Callable[[], float] = time.monotonic
    anchor: Callable[[WorkspaceId], Awaitable[object]] = _nowhere
    authority: Authority = BUILT_IN
    seal: DecisionSeal = field(kw_only=True)

    async def carry_out(self, execution_id: ExecutionId) -> ExecutionStatus:
        """Look at the world, commit the intent, make the call, commit its result; repeating it is harmless."""
        async with self.database.read() as uow:
            case = await read_case(uow, execution_id)
        executor, world = await self._look(case)
        if isinstance(world, Receipt | Unknown):
            return await self._outcome.reconsider(execution_id, world)
        call_limit = executor.call_limit if executor is not None else NO_CALL
        begin_by = self.monotonic() + self.timing.margin.total_seconds() / 2
        started = await self.intent.commit(execution_id, world=world, call_limit=call_limit, begin_by=begin_by)
        if isinstance(started, ExecutionStatus):
            return started
        if executor is None:
            raise SupportError("unavailable", "started without an executor", retryable=True)
        performed = await self._unanchored(started) or await self._call(executor, started)
        return await self._outcome.commit(started, performed)

    async def cancel(self, execution_id: ExecutionId, *, workspace: WorkspaceId, actor: str, reason: str = "") -> None:
        """Take an approved action back while its undo window is open; final, and the ticket returns to people."""
        async with self.database.write("cancel") as uow:
            case = await self._mine(await lock_case(uow, execution_id), workspace)
            if case.execution.status is not ExecutionStatus.SCHEDULED:
                raise SupportError("too_late", f"it can no longer be taken back: it is {case.execution.status}")
            now = await uow.now()
            await uow.executions.due_handled(execution_id)
            why = f"taken back: {reason}" if reason else "taken back"
            taken_back = Result(ExecutionTrigger.CANCELLED, reason=why)
            await self._outcome.settle(uow, case, taken_back, next_check_at=now, now=now)
            await uow.audit.append(workspace=workspace, event="execution.taken_back", subject=execution_id, actor=actor)

    async def due_for_reconcile(self, limit: int) -> tuple[ExecutionId, ...]:
        """Return executions whose lease has lapsed, that are to be asked about, or that nothing calls for any more."""
        return await self._reconciling.due(limit=limit)

    async def reconcile(self, execution_id: ExecutionId) -> ExecutionStatus:
        """Find out what became of one, or note that it is too early to ask."""
        return await self._reconciling.reconcile(execution_id)

    async def reconcile_due(self, limit: int = 20) -> int:
        """Reconcile all that are due; returns how many were looked at. Run it at the start, then every few seconds."""
        due = await self.due_for_reconcile(limit)
        done = await asyncio.gather(*(self.reconcile(each) for each in due), return_exceptions=True)
        errors = [each for each in done if isinstance(each, Exception)]
        if errors:  # only now: one that cannot be reconciled must not keep the others waiting
            raise ExceptionGroup("some executions could not be reconciled", errors)
        return len(due)

    async def resolve(self, execution_id: ExecutionId, *, person: Person, status: ExecutionStatus, note: str) -> None:
        """Let a person who has looked settle what is in doubt: `succeeded` or `failed`, with what they saw."""
        triggers = {
            ExecutionStatus.SUCCEEDED: ExecutionTrigger.SETTLED_SUCCEEDED,
            ExecutionStatus.FAILED: ExecutionTrigger.SETTLED_FAILED,
        }
        if status not in triggers or not note.strip():
            raise SupportError("invalid", "say whether it succeeded or failed, and what was seen")
        world = await self._world_of_restored(execution_id) if status is ExecutionStatus.SUCCEEDED else None
        async with self.database.write("resolve") as uow:
            case = await self._mine(await lock_case(uow, execution_id), person.workspace)
            present = await require_present(uow, person)
            require_role(person.role, self._entitlement.settler(case.request))
            if self.authority.asks_factor(case.execution.kind, enrolled=present.enrolled):
                present.require_factor()
            require_not_own(person.email, case.ticket.requester_email)
            if case.execution.status is not ExecutionStatus.IN_DOUBT:
                raise SupportError("conflict", f"nothing is in doubt: it is {case.execution.status}")
            now = await uow.now()
            await book_found(uow, case, world)
            settled = Result(triggers[status], receipt=case.execution.receipt, reason=note.strip())
            await self._outcome.settle(uow, case, settled, next_check_at=now, now=now)
            await uow.audit.append(
                workspace=person.workspace, event="execution.resolved", subject=execution_id,
                actor=str(person.operator_id), data={"status": status, "session": str(person.session_id)},
            )  # fmt: skip

    @property
    def intent(self) -> Intent:
        """Step one, with today's authority table."""
        return Intent(self.database, self.consequences, self.timing, self._entitlement, self.seal)

    @property
    def _entitlement(self) -> Entitlement:
        return Entitlement(self.authority, Limits(self.authority, self.consequences.hours))

    @property
    def _outcome(self) -> Outcome:
        return Outcome(self.database, self.consequences)

    @property
    def _reconciling(self) -> Reconciling:
        return Reconciling(self.database, self.executors, self._outcome, self.timing)

    async def _world_of_restored(self, execution_id: ExecutionId) -> World | None:
        """The order of a refund whose reservation a restore may have lost; None where the rows know, or it changed.

        An order that has changed since tells of the refund itself: what the order system says was refunded counts.
        """
        async with self.database.read() as uow:
            case = await read_case(uow, execution_id)
        if not case.execution.restored or case.execution.kind is not ActionKind.ISSUE_REFUND:
            return None
        action = case.action()
        executor = self.executors.get(action.way)
        if executor is None:
            return None
        try:
            async with asyncio.timeout(executor.call_limit.total_seconds()):
                world = await executor.look(action, case.ticket.requester)
        except TimeoutError:
            world = Unreachable("no answer within the limit")
        if isinstance(world, Unreachable):
            message = f"settle it when the order can be read, so that it is booked: {world.reason}"
            raise SupportError("unavailable", message, retryable=True)
        return world if isinstance(world, World) else None

    @staticmethod
    async def _mine(case: Case, workspace: WorkspaceId) -> Case:
        if case.execution.workspace_id != workspace:
            raise SupportError("not_found", "no such execution")
        return case

    async def _look(self, case: Case) -> tuple[Executor | None, World | Changed | Unreachable | Receipt | Unknown]:
        """Step zero: decode the very bytes that were approved and re-read the world that they rest on.

        Before a further generation an effect that came late is looked for first: it may be what changed the world.
        """
        if case.execution.status is not ExecutionStatus.SCHEDULED:
            return None, Changed(f"it is {case.execution.status}")
        try:
            action = case.action()
        except SupportError as error:
            return None, Changed(error.message)
        executor = self.executors.get(action.way)
        if executor is None:
            return None, Changed("what would carry it out is not connected")
        mismatch = mismatch_of_dry_run(action, executor)
        if mismatch is not None:
            return executor, mismatch
        try:
            async with asyncio.timeout(executor.call_limit.total_seconds()):
                known = await self._known(executor, action, case)
                return executor, known or await executor.look(action, case.ticket.requester)
        except TimeoutError:
            return executor, Unreachable("the world did not answer in time")

    async def _unanchored(self, started: Started) -> Unknown | None:
        """Make the attempt known outside the database; where that fails, nobody is called."""
        try:
            await self.anchor(started.case.execution.workspace_id)
        except SupportError as error:
            return Unknown(f"this attempt called nobody: {error.message}")
        return None

    async def _call(self, executor: Executor, started: Started) -> Performed:
        """Step two: one call with its limit, no transaction open."""
        earlier = started.case.evidence
        if earlier is not None:
            return Receipt(earlier)
        call = Call(key=started.attempt.key, world=started.attempt.world, mark=lambda: self._mark(started))
        try:
            async with asyncio.timeout(executor.call_limit.total_seconds()):
                known = await self._known(executor, started.action, started.case)
                if known is not None:
                    return known
                if self.monotonic() > started.begin_by:
                    return Unknown("it woke too late: this attempt called nobody")
                return await executor.perform(started.action, call)
        except TimeoutError:
            return Unknown("no answer within the limit")

    async def _known(self, executor: Executor, action: AnyAction, case: Case) -> Receipt | Unknown | None:
        """Before a further generation, ask once more whether an earlier one had its effect after all."""
        if case.execution.generation == 1:
            return None
        match await executor.find(action, past_of(case)):
            case Absent():
                return None
            case Receipt() | Unknown() as answer:
                return answer
            case CannotBeAsked(reason=reason):
                return Unknown(reason)

    async def _mark(self, started: Started) -> bool:
        """Commit the marker that says: from here on the mail server may have taken it."""
        async with self.database.write("mail_marker") as uow:
            return await uow.executions.mark(started.attempt.id)
