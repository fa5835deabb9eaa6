"""Where a request stands and what may be done about it now, in words; it offers, the use cases decide."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from api.console.wording import EXECUTIONS, REQUESTS, Badge, Tone, clock, span, words
from approvals.authority import RANK
from approvals.ports import Person
from db.read_models.queue import Answer
from db.repositories.approvals import ApprovalRequest
from db.repositories.executions import Execution
from support_agents.domain.action import ActionKind
from support_agents.domain.approval import DecisionVerdict, ExecutionStatus, RequestStatus, Role
from support_agents.domain.ids import ExecutionId, RequestId

_MOVING = {ExecutionStatus.SCHEDULED, ExecutionStatus.EXECUTING}


@dataclass(frozen=True)
class DecisionView:
    """Who said what, when."""

    who: str
    verb: str
    at: datetime
    reason: str


@dataclass(frozen=True)
class StateView:
    """What the lower part of the request page shows."""

    decidable: bool = False
    why_not: str = ""
    headline: Badge | None = None
    detail: str = ""
    receipt: str = ""
    decisions: tuple[DecisionView, ...] = ()
    execution_id: ExecutionId | None = None
    seconds_left: int = 0
    can_undo: bool = False
    can_settle: bool = False
    moving: bool = False
    newer: RequestId | None = None
    time_left: str = ""
    needs: str = ""
    problem: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Standing:
    """All that is stored about where a request stands, and who looks at it, at `now` of the database's clock."""

    request: ApprovalRequest
    answers: Sequence[Answer]
    execution: Execution | None
    newer: RequestId | None
    revision: int
    person: Person
    now: datetime


def shown_state(standing: Standing) -> StateView:
    """Say where it stands."""
    decisions = tuple(
        DecisionView(a.name or a.email, VERBS[a.decision.verdict], a.decision.created_at, a.decision.reason)
        for a in standing.answers
    )
    if standing.execution is not None:
        return replace(_executing(standing.execution, standing), decisions=decisions)
    if standing.request.status is RequestStatus.PENDING:
        return replace(_pending(standing), decisions=decisions)
    return replace(_closed(standing), decisions=decisions)


VERBS = {DecisionVerdict.APPROVE: "approved", DecisionVerdict.REJECT: "rejected"}


def _pending(standing: Standing) -> StateView:
    request, person, now = standing.request, standing.person, standing.now
    if request.expires_at <= now:
        return StateView(headline=Badge("Expired undecided", Tone.CARE), detail="The ticket goes back to people.")
    if standing.revision != request.ticket_revision:
        return StateView(
            headline=Badge("The ticket has moved on", Tone.CARE),
            detail="A fresh draft is made from the newest message.",
        )
    if RANK[person.role] < RANK[Role.APPROVER]:
        return StateView(why_not="You can read this. Deciding needs the role of an approver.")
    if any(answer.decision.operator_id == person.operator_id for answer in standing.answers):
        return StateView(
            headline=Badge("Your approval is counted", Tone.GOOD), detail=f"Now {_needs(standing)}.", moving=True
        )
    return StateView(
        decidable=True, time_left=f"{span(request.expires_at - now)} left to decide", needs=_needs(standing)
    )


def _needs(standing: Standing) -> str:
    """Who else is needed, where one person is not enough."""
    request = standing.request
    if request.approvals_needed == 1 and not request.managers_needed:
        return ""
    given = sum(answer.decision.verdict is DecisionVerdict.APPROVE for answer in standing.answers)
    of_them = " of them a manager" if request.managers_needed else ""
    return f"needs {request.approvals_needed} people,{of_them or ' any'}; {given} so far"


def _executing(execution: Execution, standing: Standing) -> StateView:
    left = max(0, int((execution.not_before - standing.now).total_seconds() + 0.999))
    may_act = RANK[standing.person.role] >= RANK[Role.APPROVER]
    view = StateView(
        headline=_headline(execution),
        execution_id=execution.id,
        detail=_detail(execution, left),
        receipt=execution.receipt or "",
        moving=execution.status in _MOVING,
    )
    match execution.status:
        case ExecutionStatus.SCHEDULED:
            return replace(view, can_undo=may_act and left > 0, seconds_left=left)
        case ExecutionStatus.IN_DOUBT:
            return replace(view, can_settle=_may_settle(execution, standing.person))
        case _:
            return view


def _may_settle(execution: Execution, person: Person) -> bool:
    least = Role.MANAGER if execution.kind is ActionKind.ISSUE_REFUND else Role.APPROVER
    return RANK[person.role] >= RANK[least]


def _headline(execution: Execution) -> Badge:
    refund = execution.kind is ActionKind.ISSUE_REFUND
    match execution.status:
        case ExecutionStatus.SCHEDULED:
            return Badge("Approved", Tone.GOOD)
        case ExecutionStatus.SUCCEEDED:
            return Badge("Refund booked" if refund else "Reply sent", Tone.GOOD)
        case ExecutionStatus.CANCELLED:
            return Badge("Undone: nothing was " + ("paid" if refund else "sent"))
        case _:
            known = EXECUTIONS[execution.status]
            return replace(known, text=known.text[0].upper() + known.text[1:])


def _detail(execution: Execution, left: int) -> str:
    match execution.status:
        case ExecutionStatus.SCHEDULED:
            return "It leaves when the undo window closes." if left else "The undo window is closed: it leaves now."
        case ExecutionStatus.EXECUTING:
            return "The provider is being asked."
        case ExecutionStatus.SUCCEEDED:
            return f"At {clock(execution.finished_at)}." if execution.finished_at else ""
        case ExecutionStatus.IN_DOUBT:
            return f"{execution.reason or 'The outcome is unknown.'} It is not tried again until this is known."
        case _:
            return "The ticket is with people again." if execution.reason == "taken back" else execution.reason


def _closed(standing: Standing) -> StateView:
    request = standing.request
    if request.status is RequestStatus.APPROVED:
        return StateView(
            headline=Badge("Approved", Tone.GOOD),
            detail="It waits until the refund it speaks of is booked.",
            moving=True,
        )
    known = REQUESTS[request.status]
    headline = replace(known, text=known.text[0].upper() + known.text[1:])
    edited = request.status is RequestStatus.SUPERSEDED and request.closed_reason == "edited"
    if edited:
        headline = Badge("Replaced by an edit")
    detail = "" if edited or request.status is RequestStatus.REJECTED else words(request.closed_reason or "")
    return StateView(headline=headline, detail=detail, newer=standing.newer)
