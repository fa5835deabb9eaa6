"""What a person has just decided, in two lines above their next page; made from stored rows, never from an address."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from api.console.views.action import LetterView, RefundView, StepView
from api.console.views.state import StateView
from approvals.wording import Badge, Tone
from db.repositories.tickets import Ticket
from support_agents.domain.approval import RequestStatus
from support_agents.domain.ids import ExecutionId, RequestId

# The page that the lines stand on: the queue, or a request's.
Place = Literal["queue"] | UUID


@dataclass(frozen=True)
class DecidedView:
    """The lines, the way to the request, and undoing while that can be done; `left_share` is per cent of its window."""

    request_id: RequestId
    place: Place
    headline: Badge
    what: str
    customer: str
    subject: str
    detail: str
    execution_id: ExecutionId | None
    can_undo: bool
    seconds_left: int
    left_share: int
    undo_until: datetime | None
    moving: bool


@dataclass(frozen=True)
class DecidedGiven:
    """What the lines are made of; `window` is from the decision to the end of undoing, in seconds."""

    request_id: RequestId
    status: RequestStatus
    seeded: bool
    ticket: Ticket
    action: LetterView | RefundView | StepView
    state: StateView
    undo_until: datetime | None
    window: float


def shown_decided(given: DecidedGiven, *, place: Place) -> DecidedView:
    """Put them together."""
    state, ticket = given.state, given.ticket
    return DecidedView(
        request_id=given.request_id,
        place=place,
        headline=state.headline or Badge("Decided", Tone.PLAIN),
        what=_what(given.action),
        customer=ticket.requester_name or ticket.requester_email,
        subject=ticket.subject,
        detail=state.detail or _after(given),
        execution_id=state.execution_id,
        can_undo=state.can_undo,
        seconds_left=state.seconds_left,
        left_share=min(100, round(100 * state.seconds_left / given.window)) if given.window > 0 else 0,
        undo_until=given.undo_until if state.can_undo else None,
        moving=state.moving,
    )


def _after(given: DecidedGiven) -> str:
    """Where a rejection leaves the ticket."""
    if given.status is not RequestStatus.REJECTED:
        return ""
    if given.seeded:
        return "It was a check of attention: the ticket stays as it was."
    return "The ticket is with people again."


def _what(action: LetterView | RefundView | StepView) -> str:
    match action:
        case RefundView():
            return f"{action.amount} to the account ending in {action.account_last4}"
        case StepView():
            about = f" {action.order_id}" if action.order_id else ""
            return f"{action.title[:1].lower()}{action.title[1:]}{about}"
        case LetterView():
            return f"reply to {action.to}"
