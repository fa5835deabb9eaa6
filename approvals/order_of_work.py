"""In which order people should look at pending requests: what could cost most first, then the oldest."""

from db.repositories.approvals import ApprovalRequest
from support_agents.domain.action import ActionKind
from support_agents.domain.ids import RequestId


def by_risk_and_age(request: ApprovalRequest) -> tuple[bool, bool, RequestId]:
    """Money and steps before words, then what needs more than one person, then the oldest (ids sort by time)."""
    return (request.kind is ActionKind.SEND_REPLY, request.approvals_needed == 1, request.id)
