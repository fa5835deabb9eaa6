"""Where a request stands and what may be done about it now, in words; it offers, the use cases decide."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from approvals.authority import RANK
from approvals.ports import Person
from approvals.standing import EXPIRED, MOVED_ON, VERBS, of_closed, of_execution, people_needed
from approvals.wording import Badge, Tone, span
from db.read_models.queue import Answer
from db.repositories.approvals import ApprovalRequest
from db.repositories.executions import Execution
from support_agents.domain.action import ActionKind
from support_agents.domain.approval import ExecutionStatus, RequestStatus, Role
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
    """What the lower part of the request page shows; `stamp` is when it was shown, for the forms to send back."""

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
    factor: str = ""
    stamp: str = ""


@dataclass(frozen=True)
class Standing:
    """All that is stored about where a request stands, and who looks at it, at `now` of the database's clock.

    `factor` is what approving asks this person for first: nothing, `code`, or `enrol` when they have no factor yet.
    `settler` is the least role that may settle it when it is in doubt.
    """

    request: ApprovalRequest
    answers: Sequence[Answer]
    execution: Execution | None
    newer: RequestId | None
    revision: int
    person: Person
    now: datetime
    settler: Role
    factor: str = ""
    after_kind: ActionKind | None = None


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


def _pending(standing: Standing) -> StateView:
    request, person, now = standing.request, standing.person, standing.now
    if request.expires_at <= now:
        return StateView(headline=EXPIRED.headline, detail=EXPIRED.detail)
    if standing.revision != request.ticket_revision:
        return StateView(headline=MOVED_ON.headline, detail=MOVED_ON.detail)
    if RANK[person.role] < RANK[Role.APPROVER]:
        return StateView(why_not="You can read this. Deciding needs the role of an approver.")
    if any(answer.decision.operator_id == person.operator_id for answer in standing.answers):
        return StateView(
            headline=Badge("Your approval is counted", Tone.GOOD),
            detail=f"Now {people_needed(standing.request, standing.answers)}.",
            moving=True,
        )
    return StateView(
        decidable=True,
        time_left=f"{span(request.expires_at - now)} left to decide",
        needs=people_needed(standing.request, standing.answers),
        factor=standing.factor,
    )


def _executing(execution: Execution, standing: Standing) -> StateView:
    left = max(0, int((execution.not_before - standing.now).total_seconds() + 0.999))
    line = of_execution(execution, leaves_now=not left)
    may_act = RANK[standing.person.role] >= RANK[Role.APPROVER]
    view = StateView(
        headline=line.headline,
        execution_id=execution.id,
        detail=line.detail,
        receipt=execution.receipt or "",
        moving=execution.status in _MOVING,
    )
    match execution.status:
        case ExecutionStatus.SCHEDULED:
            return replace(view, can_undo=may_act and left > 0, seconds_left=left)
        case ExecutionStatus.IN_DOUBT:
            return replace(view, can_settle=RANK[standing.person.role] >= RANK[standing.settler])
        case _:
            return view


def _closed(standing: Standing) -> StateView:
    line = of_closed(standing.request, answered=bool(standing.answers), after=standing.after_kind)
    waiting = standing.request.status is RequestStatus.APPROVED
    return StateView(
        headline=line.headline, detail=line.detail, moving=waiting, newer=None if waiting else standing.newer
    )
