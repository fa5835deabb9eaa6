"""What an inbound event does to its ticket: pure rules from one row to the next; nothing is stored here."""

from dataclasses import replace
from typing import assert_never
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
            return _ended(ticket, inbound, TicketStatus.SOLVED)
        case EventKind.TICKET_CLOSED:
            return _ended(ticket, inbound, TicketStatus.CLOSED)
        case EventKind.TICKET_MERGED:
            return _ended(ticket, inbound, TicketStatus.MERGED)
        case EventKind.REQUESTER_CHANGED:
            # Whatever was drafted was meant for someone else: what is open must be answered anew.
            return replace(_raised(_told(ticket, inbound, subject), inbound), answered_revision=0)
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
    match message.author:
        case Author.CUSTOMER:
            raised = replace(_raised(_told(ticket, inbound, subject), inbound), status=TicketStatus.OPEN)
            return replace(raised, customer_revision=raised.revision, customer_received_at=inbound.received_at)
        case Author.OPERATOR:
            raised = replace(_raised(_told(ticket, inbound, subject), inbound), needs_person_reason=None)
            return replace(raised, operator_revision=raised.revision)
        case Author.SYSTEM:
            return ticket
        case _:
            assert_never(message.author)


def _ended(ticket: Ticket, inbound: InboundMessage, status: TicketStatus) -> Ticket:
    return replace(_raised(ticket, inbound), status=status, needs_person_reason=None)


def _raised(ticket: Ticket, inbound: InboundMessage) -> Ticket:
    sender = ticket.sender_revision if inbound.ticket.revision is None else inbound.ticket.revision
    return replace(ticket, revision=ticket.revision + 1, sender_revision=sender, changed_at=inbound.received_at)


def _told(ticket: Ticket, inbound: InboundMessage, subject: UUID) -> Ticket:
    facts = inbound.ticket
    return replace(
        ticket,
        subject_id=subject,
        subject=facts.subject or ticket.subject,
        requester_email=facts.requester.email,
        requester_name=facts.requester.name,
        requester_verified=facts.requester.verified,
        channel=facts.channel,
        order_id=facts.order_id or ticket.order_id,
    )
