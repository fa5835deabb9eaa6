"""What the steps of an execution hand to one another: a case, a started attempt, timing; it changes nothing."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from approvals.canonical import AnyAction, Sealed, unseal
from db.repositories.approvals import ApprovalRequest
from db.repositories.executions import Attempt, Execution, NewAttempt
from db.repositories.tickets import Ticket
from db.uow import UnitOfWork
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import ExecutionId


@dataclass(frozen=True)
class Timing:
    """Leases exceed the call's limit by `margin`; a provider is asked only when both have passed."""

    margin: timedelta = timedelta(seconds=10)
    paused: timedelta = timedelta(seconds=30)
    first_retry: timedelta = timedelta(seconds=15)
    longest_retry: timedelta = timedelta(minutes=15)
    give_up: timedelta = timedelta(hours=1)
    orphaned: timedelta = timedelta(minutes=5)
    generations: int = 6

    def retry(self, times: int) -> timedelta:
        """Return the wait before try number `times` + 1: doubling, up to a limit."""
        return min(self.first_retry * (1 << min(times, 16)), self.longest_retry)


@dataclass(frozen=True)
class Case:
    """An execution with its request and its ticket; locked in this order: ticket, request, execution."""

    ticket: Ticket
    request: ApprovalRequest
    execution: Execution
    attempts: tuple[Attempt, ...] = ()

    def action(self) -> AnyAction:
        """Decode the stored bytes, proving that they are what was decided on."""
        return unseal(Sealed(self.request.canonical, self.execution.digest))

    @property
    def attempt(self) -> Attempt | None:
        """The try of the execution's present generation, as it was read with it."""
        return next((each for each in self.attempts if each.generation == self.execution.generation), None)

    @property
    def evidence(self) -> str | None:
        """A provider's receipt that an attempt brought home, be it too late to decide anything."""
        return next((attempt.receipt for attempt in self.attempts if attempt.receipt is not None), None)


@dataclass(frozen=True)
class Started:
    """An attempt whose intent is committed; the call must begin before `begin_by` on the monotonic clock."""

    case: Case
    action: AnyAction
    attempt: NewAttempt
    begin_by: float = field(compare=False)


async def read_case(uow: UnitOfWork, execution_id: ExecutionId) -> Case:
    """Read without locking."""
    execution = await uow.executions.get(execution_id)
    if execution is None:
        raise SupportError("not_found", "no such execution")
    request = await uow.approvals.get(execution.request_id)
    ticket = await uow.tickets.get(execution.ticket_id)
    return _whole(ticket, request, execution, await uow.executions.attempts(execution_id))


async def lock_case(uow: UnitOfWork, execution_id: ExecutionId) -> Case:
    """Read and lock, in the one order that everybody locks in."""
    place = await uow.executions.place(execution_id)
    if place is None:
        raise SupportError("not_found", "no such execution")
    ticket = await uow.tickets.lock(place[0])
    request = await uow.approvals.lock(place[1])
    execution = await uow.executions.lock(execution_id)
    return _whole(ticket, request, execution, await uow.executions.attempts(execution_id))


def _whole(
    ticket: Ticket | None, request: ApprovalRequest | None, execution: Execution | None, attempts: tuple[Attempt, ...]
) -> Case:
    if ticket is None or request is None or execution is None:
        raise LookupError("an execution without its request or ticket: foreign keys do not allow it")
    return Case(ticket, request, execution, attempts)


def lease_over(attempt: Attempt | None, now: datetime) -> bool:
    """Whether an attempt's worker may no longer decide on its result."""
    return attempt is None or attempt.leased_until <= now
