"""Where a request stands, in words that every surface shows alike; it decides nothing and offers nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from approvals.executors.dry_run import PROOF
from approvals.wording import EXECUTIONS, HAPPENED, KINDS, REQUESTS, Badge, Tone, clock, words
from db.read_models.queue import Answer
from db.repositories.approvals import ApprovalRequest
from db.repositories.executions import Execution
from support_agents.domain.action import ActionKind
from support_agents.domain.approval import DecisionVerdict, ExecutionStatus, RequestStatus

_DONE = {ActionKind.ISSUE_REFUND: "Refund booked", ActionKind.SEND_REPLY: "Reply sent"}
_UNDONE = {ActionKind.ISSUE_REFUND: "paid", ActionKind.SEND_REPLY: "sent"}
VERBS = {DecisionVerdict.APPROVE: "approved", DecisionVerdict.REJECT: "rejected"}


@dataclass(frozen=True)
class StandingLine:
    """A short headline with its tone, and what there is to add."""

    headline: Badge
    detail: str = ""


EXPIRED = StandingLine(Badge("Expired undecided", Tone.CARE), "The ticket goes back to people.")
MOVED_ON = StandingLine(Badge("The ticket has moved on", Tone.CARE), "A fresh draft is made from the newest message.")


def of_execution(execution: Execution, *, leaves_now: bool) -> StandingLine:
    """What became of an approved action; `leaves_now` once its undo window is over."""
    return StandingLine(_headline(execution), _detail(execution, leaves_now=leaves_now))


def of_closed(request: ApprovalRequest, *, answered: bool, after: ActionKind | None) -> StandingLine:
    """How a request without an execution ended; `answered` once somebody has decided on it, `after` what it awaits."""
    if request.status is RequestStatus.APPROVED:
        what, how = HAPPENED[after] if after else ("what it speaks of", "done")
        return StandingLine(Badge("Approved", Tone.GOOD), f"It waits until {what} is {how}.")
    if request.seeded_by is not None and request.status is RequestStatus.SUPERSEDED and answered:
        return StandingLine(Badge("This draft was known to be bad", Tone.BAD), request.closed_reason or "")
    if request.status is RequestStatus.SUPERSEDED and request.closed_reason == "edited":
        return StandingLine(Badge("Replaced by an edit"))
    detail = "" if request.status is RequestStatus.REJECTED else words(request.closed_reason or "")
    return StandingLine(_capital(REQUESTS[request.status]), detail)


def people_needed(request: ApprovalRequest, answers: Sequence[Answer]) -> str:
    """Who else is needed, where one person is not enough."""
    if request.approvals_needed == 1 and not request.managers_needed:
        return ""
    given = sum(answer.decision.verdict is DecisionVerdict.APPROVE for answer in answers)
    of_them = " of them a manager" if request.managers_needed else ""
    return f"needs {request.approvals_needed} people,{of_them or ' any'}; {given} so far"


def _headline(execution: Execution) -> Badge:
    kind = execution.kind
    if execution.status is ExecutionStatus.SUCCEEDED and (execution.receipt or "").startswith(PROOF):
        return Badge("Dry run: nothing left", Tone.CARE)
    match execution.status:
        case ExecutionStatus.SCHEDULED:
            return Badge("Approved", Tone.GOOD)
        case ExecutionStatus.SUCCEEDED:
            return Badge(_DONE.get(kind, f"{KINDS[kind]}: done"), Tone.GOOD)
        case ExecutionStatus.CANCELLED:
            return Badge(f"Undone: nothing was {_UNDONE.get(kind, 'done')}")
        case _:
            return _capital(EXECUTIONS[execution.status])


def _detail(execution: Execution, *, leaves_now: bool) -> str:
    match execution.status:
        case ExecutionStatus.SCHEDULED if leaves_now:
            return "The undo window is closed: it leaves now."
        case ExecutionStatus.SCHEDULED:
            return "It leaves when the undo window closes."
        case ExecutionStatus.EXECUTING:
            return "The provider is being asked."
        case ExecutionStatus.SUCCEEDED:
            return f"At {clock(execution.finished_at)}." if execution.finished_at else ""
        case ExecutionStatus.IN_DOUBT:
            return f"{execution.reason or 'The outcome is unknown.'} It is not tried again until this is known."
        case _:
            return "The ticket is with people again." if execution.reason == "taken back" else execution.reason


def _capital(badge: Badge) -> Badge:
    return replace(badge, text=badge.text[0].upper() + badge.text[1:])
