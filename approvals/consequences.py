"""What follows in the same transaction when a request or an execution ends; it decides nothing and sends nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from approvals.business_hours import BusinessHours
from approvals.canonical import Sealed, unseal
from approvals.lifecycle import RequestTrigger, request_after
from approvals.limits import give_back
from db.repositories.approvals import ApprovalRequest, Decision
from db.repositories.executions import Execution, NewExecution
from db.uow import UnitOfWork
from support_agents.domain.action import ActionKind
from support_agents.domain.approval import DecisionVerdict, ExecutionStatus, RequestStatus
from support_agents.domain.errors import SupportError
from support_agents.domain.events import EventName
from support_agents.domain.ids import ExecutionId, TicketId, new_id


@dataclass(frozen=True)
class UndoWindows:
    """How long an approved action can be taken back before it is carried out."""

    reply: timedelta = timedelta(seconds=30)
    refund: timedelta = timedelta(seconds=60)

    def of(self, kind: ActionKind) -> timedelta:
        """Return the window of one kind."""
        return self.reply if kind is ActionKind.SEND_REPLY else self.refund


@dataclass(frozen=True)
class Consequences:
    """Closing, scheduling, giving back: the ticket's row is locked by the caller."""

    hours: BusinessHours
    windows: UndoWindows

    async def close(
        self, uow: UnitOfWork, request: ApprovalRequest, trigger: RequestTrigger, *, reason: str, actor: str = "system"
    ) -> None:
        """End a request without an effect: money is given back, and what waited for it is superseded."""
        to = request_after(request.status, trigger)
        if not await uow.approvals.move(request, to, reason=reason):
            raise SupportError("already_decided", "somebody else was first", retryable=True)
        await uow.audit.append(
            workspace=request.workspace_id, event=f"request.{to}", subject=request.id, actor=actor,
            data={"digest": request.digest},
        )  # fmt: skip
        await self.give_money_back(uow, request)
        await self.drop_waiting(uow, request, reason=reason)

    async def supersede_open(self, uow: UnitOfWork, ticket_id: TicketId, *, reason: str) -> None:
        """Supersede every request of a ticket that has not led to an execution yet."""
        requests = await uow.approvals.open_on(ticket_id)
        # Those that wait for another go first: closing the other would close them too.
        for request in sorted(requests, key=lambda request: request.after_action_id is None):
            await self.close(uow, request, RequestTrigger.SUPERSEDED, reason=reason)

    async def drop_waiting(self, uow: UnitOfWork, ended: ApprovalRequest, *, reason: str) -> None:
        """Supersede what was to come after an action that did not happen."""
        for waiting in await uow.approvals.waiting_for(ended.workspace_id, ended.action_id):
            why = f"it states that {_noun(ended.kind)} was made, which did not happen: {reason}"
            await self.close(uow, waiting, RequestTrigger.SUPERSEDED, reason=why)

    async def give_money_back(self, uow: UnitOfWork, request: ApprovalRequest) -> None:
        """Take the request's amount off the day of everyone who approved it, and off customer, order, instrument."""
        approving = [d for d in await uow.approvals.decisions(request.id) if d.verdict is DecisionVerdict.APPROVE]
        await give_back(uow, request, {d.operator_id: self.hours.day(d.created_at) for d in approving})

    async def schedule_if_due(
        self, uow: UnitOfWork, request: ApprovalRequest, answers: Sequence[Decision], *, now: datetime
    ) -> NewExecution | None:
        """Schedule an approved request unless it waits for another action; raise if that one cannot happen."""
        if request.after_action_id is None:
            return await self.schedule(uow, request, answers, now=now)
        first = await uow.executions.by_action(request.workspace_id, request.after_action_id)
        if first is None:
            question = await uow.approvals.by_action(request.workspace_id, request.after_action_id)
            hopeful = question is not None and question.status in {RequestStatus.PENDING, RequestStatus.APPROVED}
        elif first.status is ExecutionStatus.SUCCEEDED:
            return await self.schedule(uow, request, answers, now=now)
        else:
            hopeful = first.status in {ExecutionStatus.SCHEDULED, ExecutionStatus.EXECUTING, ExecutionStatus.IN_DOUBT}
        if not hopeful:
            raise SupportError("superseded", "what this reply states did not happen")
        return None

    async def schedule(
        self, uow: UnitOfWork, request: ApprovalRequest, answers: Sequence[Decision], *, now: datetime
    ) -> NewExecution:
        """Insert the execution and its outbox row, both due when the undo window is over."""
        if request.seeded_by is not None:
            raise SupportError("not_approved", "a check of attention is never carried out")
        completing = _completing(answers)
        execution = NewExecution(
            id=ExecutionId(new_id()),
            workspace_id=request.workspace_id,
            request_id=request.id,
            decision_id=completing.id,
            digest=request.digest,
            action_id=request.action_id,
            ticket_id=request.ticket_id,
            kind=request.kind,
            way=request.way,
            not_before=now + self._window(request),
        )
        await uow.executions.add(execution)
        await call_for(uow, execution, at=execution.not_before)
        await uow.audit.append(
            workspace=request.workspace_id, event="execution.scheduled", subject=execution.id, actor="system",
            data={"request": str(request.id), "digest": request.digest},
        )  # fmt: skip
        return execution

    def _window(self, request: ApprovalRequest) -> timedelta:
        own = request.undo_seconds
        return self.windows.of(request.kind) if own is None else timedelta(seconds=own)

    async def succeeded(self, uow: UnitOfWork, execution: Execution, *, now: datetime) -> None:
        """Book the money – of a dry run, give it back – and schedule what waited for this action."""
        request = await uow.approvals.get(execution.request_id)
        if request is not None and is_dry_run(request):
            await uow.refund_ledger.release(execution.workspace_id, execution.action_id)
            await self.give_money_back(uow, request)
        else:
            await uow.refund_ledger.book(execution.workspace_id, execution.action_id)
            await uow.money_claims.hold(execution.request_id)
        for waiting in await uow.approvals.waiting_for(execution.workspace_id, execution.action_id):
            if waiting.status is RequestStatus.APPROVED:
                await self.schedule(uow, waiting, await uow.approvals.decisions(waiting.id), now=now)

    async def came_to_nothing(self, uow: UnitOfWork, execution: Execution, *, to: ExecutionStatus, reason: str) -> None:
        """After failed, cancelled or superseded: release money, supersede what waited, return the ticket to people."""
        await uow.refund_ledger.release(execution.workspace_id, execution.action_id)
        request = await uow.approvals.lock(execution.request_id)
        if request is not None:
            if to is ExecutionStatus.SUPERSEDED and request.status is RequestStatus.APPROVED:
                await uow.approvals.move(
                    request, request_after(request.status, RequestTrigger.SUPERSEDED), reason=reason
                )
            await self.give_money_back(uow, request)
            await self.drop_waiting(uow, request, reason=reason)
        await uow.tickets.needs_person(execution.ticket_id, f"{_noun(execution.kind)} was not carried out: {reason}")


_NOUNS: Mapping[ActionKind, str] = {
    ActionKind.SEND_REPLY: "the reply",
    ActionKind.ISSUE_REFUND: "a refund",
    ActionKind.CANCEL_ORDER: "a cancellation",
    ActionKind.REPLACE_ORDER: "a replacement",
    ActionKind.DELETE_RECORD: "a deletion",
}


def is_dry_run(request: ApprovalRequest) -> bool:
    """Whether the exact bytes say that nothing is to happen; bytes that cannot be read say nothing."""
    try:
        return unseal(Sealed(request.canonical, request.digest)).dry_run
    except SupportError:
        return False


async def call_for(uow: UnitOfWork, execution: NewExecution, *, at: datetime) -> None:
    """Add the outbox row that calls for an execution at `at`."""
    await uow.outbox.add(EventName.EXECUTION_DUE, execution.id, workspace=execution.workspace_id, not_before=at)


def _completing(answers: Sequence[Decision]) -> Decision:
    approving = [answer for answer in answers if answer.verdict is DecisionVerdict.APPROVE]
    if not approving:
        raise SupportError("not_approved", "nobody has approved this")
    return approving[-1]


def _noun(kind: ActionKind) -> str:
    return _NOUNS[kind]
