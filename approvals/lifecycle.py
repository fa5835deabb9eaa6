"""The two transition tables of approval and execution as data; everything absent from them is illegal."""

from enum import StrEnum
from typing import TypeVar

from support_agents.domain.approval import ExecutionStatus as E
from support_agents.domain.approval import RequestStatus as R
from support_agents.domain.errors import SupportError


class RequestTrigger(StrEnum):
    """What can happen to an approval request."""

    APPROVE_COUNTED = "approve_counted"
    APPROVE_COMPLETED = "approve_completed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


class ExecutionTrigger(StrEnum):
    """What can happen to an execution."""

    STARTED = "started"
    SUCCEEDED = "succeeded"
    REFUSED = "refused"
    PRECONDITION_FAILED = "precondition_failed"
    OUTCOME_UNKNOWN = "outcome_unknown"
    CANCELLED = "cancelled"
    OVERTAKEN = "overtaken"
    QUARANTINED = "quarantined"
    FOUND = "found"
    PROVED_ABSENT = "proved_absent"
    SETTLED_SUCCEEDED = "settled_succeeded"
    SETTLED_FAILED = "settled_failed"
    REVERSED_BY_PROVIDER = "reversed_by_provider"


Q = RequestTrigger
X = ExecutionTrigger

REQUESTS: dict[tuple[R, Q], R] = {
    (R.PENDING, Q.APPROVE_COUNTED): R.PENDING,
    (R.PENDING, Q.APPROVE_COMPLETED): R.APPROVED,
    (R.PENDING, Q.REJECTED): R.REJECTED,
    (R.PENDING, Q.EXPIRED): R.EXPIRED,
    (R.PENDING, Q.SUPERSEDED): R.SUPERSEDED,
    (R.APPROVED, Q.SUPERSEDED): R.SUPERSEDED,
}

EXECUTIONS: dict[tuple[E, X], E] = {
    (E.SCHEDULED, X.STARTED): E.EXECUTING,
    (E.SCHEDULED, X.CANCELLED): E.CANCELLED,
    (E.SCHEDULED, X.OVERTAKEN): E.SUPERSEDED,
    (E.SCHEDULED, X.QUARANTINED): E.IN_DOUBT,
    (E.SCHEDULED, X.OUTCOME_UNKNOWN): E.IN_DOUBT,  # an earlier attempt may have had its effect after all
    (E.EXECUTING, X.SUCCEEDED): E.SUCCEEDED,
    (E.EXECUTING, X.REFUSED): E.FAILED,
    (E.EXECUTING, X.PRECONDITION_FAILED): E.SUPERSEDED,
    (E.EXECUTING, X.OUTCOME_UNKNOWN): E.IN_DOUBT,
    (E.EXECUTING, X.QUARANTINED): E.IN_DOUBT,
    (E.IN_DOUBT, X.FOUND): E.SUCCEEDED,
    (E.IN_DOUBT, X.PROVED_ABSENT): E.SCHEDULED,
    (E.IN_DOUBT, X.SETTLED_SUCCEEDED): E.SUCCEEDED,
    (E.IN_DOUBT, X.SETTLED_FAILED): E.FAILED,
    (E.SUCCEEDED, X.REVERSED_BY_PROVIDER): E.FAILED,
}

S = TypeVar("S", bound=StrEnum)
T = TypeVar("T", bound=StrEnum)


class IllegalTransition(SupportError):  # noqa: N818 - the name it has in the design
    """A transition that no table knows; nothing was changed."""

    def __init__(self, status: str, trigger: str) -> None:
        super().__init__("illegal_transition", f"what is {status} cannot be {trigger.replace('_', ' ')}")


def request_after(status: R, trigger: RequestTrigger) -> R:
    """Return the request's next status, or raise `IllegalTransition`."""
    return _next(REQUESTS, status, trigger)


def execution_after(status: E, trigger: ExecutionTrigger) -> E:
    """Return the execution's next status, or raise `IllegalTransition`."""
    return _next(EXECUTIONS, status, trigger)


def _next(table: dict[tuple[S, T], S], status: S, trigger: T) -> S:
    following = table.get((status, trigger))
    if following is None:
        raise IllegalTransition(status, trigger)
    return following
