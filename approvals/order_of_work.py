"""In which order people should look at pending requests: what could cost most first, then the oldest."""

from db.read_models.desk import Waiting
from db.repositories.approvals import ApprovalRequest
from support_agents.domain.action import ActionKind
from support_agents.domain.ids import RequestId

Place = tuple[bool, bool, RequestId]


def by_risk_and_age(request: ApprovalRequest) -> Place:
    """Money and steps before words, then what needs more than one person, then the oldest (ids sort by time)."""
    return (request.kind is ActionKind.SEND_REPLY, request.approvals_needed == 1, request.id)


def place_of(waiting: Waiting) -> Place:
    """The same of a request as a person's own queue has it."""
    return (waiting.kind is ActionKind.SEND_REPLY, waiting.approvals_needed == 1, waiting.request)
