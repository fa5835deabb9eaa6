"""What an inbound event does to its ticket: pure rules from one row to the next; nothing is stored here."""

from dataclasses import replace
from typing import Any, assert_never
from uuid import UUID

from db.repositories.tickets import Ticket, TicketStatus
from support_agents.domain.ids import TicketId, new_id
from support_agents.domain.ticket import Author, EventKind, InboundMessage


def unseen(inbound: InboundMessage, *, subject: UUID) -> Ticket:
    """The ticket of an event that is the first we hear of it, before that event."""
    facts = inbound.ticket
    return Ticket(
        id=TicketId(new_id()),
        workspace_id=inbound.workspace,
        source=inbound.source,
        external_id=facts.external_id,
        subject_id=subject,
        subject=facts.subject,
        requester_email=facts.requester.email,
        requester_name=facts.requester.name,
        requester_verified=facts.requester.verified,
        channel=facts.channel,
        order_id=facts.order_id,
        status=TicketStatus.OPEN,
        revision=0,
        sender_revision=None,
        customer_revision=0,
        operator_revision=0,
        answered_revision=0,
        customer_received_at=None,
        changed_at=inbound.received_at,
        needs_person_reason=None,
    )


def is_older(ticket: Ticket, inbound: InboundMessage) -> bool:
    """Whether the sender itself says that it has told us something newer."""
    theirs, seen = inbound.ticket.revision, ticket.sender_revision
    return theirs is not None and seen is not None and theirs < seen


def applied(ticket: Ticket, inbound: InboundMessage, *, subject: UUID, ours: bool) -> Ticket:
    """The ticket after the event; the same one when the event raises nothing."""
    if ours or is_older(ticket, inbound):
        return ticket
    match inbound.kind:
        case EventKind.MESSAGE_CREATED:
            return _after_message(ticket, inbound, subject)
        case EventKind.TICKET_SOLVED:
            return _raised(ticket, inbound, status=TicketStatus.SOLVED, needs_person_reason=None)
        case EventKind.TICKET_CLOSED:
            return _raised(ticket, inbound, status=TicketStatus.CLOSED, needs_person_reason=None)
        case EventKind.TICKET_MERGED:
            return _raised(ticket, inbound, status=TicketStatus.MERGED, needs_person_reason=None)
        case EventKind.REQUESTER_CHANGED:
            # Whatever was drafted was meant for someone else: what is open must be answered anew.
            return _raised(ticket, inbound, **_told(ticket, inbound, subject), answered_revision=0)
        case _:
            assert_never(inbound.kind)


def starts_run(before: Ticket, after: Ticket, inbound: InboundMessage) -> bool:
    """Whether the event leaves the customer waiting for an answer that is not being made already."""
    new = inbound.kind in {EventKind.MESSAGE_CREATED, EventKind.REQUESTER_CHANGED}
    by_operator = after.operator_revision > before.operator_revision
    return new and after.revision > before.revision and after.awaits_answer and not by_operator


def _after_message(ticket: Ticket, inbound: InboundMessage, subject: UUID) -> Ticket:
    message = inbound.message
    if message is None or not message.public or inbound.automatic:
        return ticket
    told = _told(ticket, inbound, subject)
    revision = ticket.revision + 1
    match message.author:
        case Author.CUSTOMER:
            said = {"customer_revision": revision, "customer_received_at": inbound.received_at}
            return _raised(ticket, inbound, **told, **said, status=TicketStatus.OPEN)
        case Author.OPERATOR:
            return _raised(ticket, inbound, **told, operator_revision=revision, needs_person_reason=None)
        case Author.SYSTEM:
            return ticket
        case _:
            assert_never(message.author)


def _raised(ticket: Ticket, inbound: InboundMessage, **changes: Any) -> Ticket:  # noqa: ANN401 - fields of a ticket
    """The next revision, with further changes."""
    if inbound.ticket.revision is not None:
        changes["sender_revision"] = inbound.ticket.revision
    return replace(ticket, revision=ticket.revision + 1, changed_at=inbound.received_at, **changes)


def _told(ticket: Ticket, inbound: InboundMessage, subject: UUID) -> dict[str, Any]:
    """What the signed event says of its ticket; one that names no requester leaves the known one as it is."""
    facts = inbound.ticket
    requester = {
        "subject_id": subject,
        "requester_email": facts.requester.email,
        "requester_name": facts.requester.name,
        "requester_verified": facts.requester.verified,
    }
    return (requester if facts.requester.email else {}) | {
        "subject": facts.subject or ticket.subject,
        "channel": facts.channel,
        "order_id": facts.order_id or ticket.order_id,
    }
