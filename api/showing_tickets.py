"""Maps tickets and their timelines to the bodies of the REST API; it reads nothing."""

from api.schemas import (
    MessageShown,
    RequestOfTicket,
    RunOfTicket,
    StepShown,
    TicketShown,
    TimelineBody,
    TimelineEvent,
)
from api.showing import shown_decision, shown_execution
from db.read_models.ticket_timeline import StoredMessage, TicketTimeline
from db.repositories.tickets import Ticket
from support_agents.domain.runs import Outcome, RunRecord


def shown_ticket(ticket: Ticket, outcome: Outcome | None) -> TicketShown:
    """One ticket."""
    return TicketShown(
        id=ticket.id,
        source=ticket.source,
        external_id=ticket.external_id,
        subject=ticket.subject,
        requester=ticket.requester,
        channel=ticket.channel,
        order_id=ticket.order_id,
        status=ticket.status,
        revision=ticket.revision,
        changed_at=ticket.changed_at,
        needs_person_reason=ticket.needs_person_reason,
        outcome=outcome,
    )


def shown_timeline(timeline: TicketTimeline) -> TimelineBody:
    """One ticket with all that happened."""
    answers = [record for record in timeline.runs if record.parent_run_id is None]
    last = answers[-1].outcome if answers else None
    return TimelineBody(
        ticket=shown_ticket(timeline.ticket, last),
        messages=tuple(_message(stored) for stored in timeline.messages),
        events=tuple(TimelineEvent(kind=event.kind, received_at=event.received_at) for event in timeline.events),
        running=timeline.open_run is not None,
        runs=tuple(_run(record) for record in timeline.runs),
        requests=tuple(
            RequestOfTicket(
                id=request.id,
                kind=request.kind,
                status=request.status,
                digest=request.digest,
                ticket_revision=request.ticket_revision,
                created_at=request.created_at,
                closed_at=request.closed_at,
                closed_reason=request.closed_reason,
                decisions=tuple(shown_decision(answer) for answer in timeline.answers.get(request.id, ())),
            )
            for request in timeline.requests
        ),
        executions=tuple(shown_execution(execution) for execution in timeline.executions),
        inside_steps=tuple(
            StepShown(id=step.id, kind=step.kind, status=step.status, created_at=step.created_at, error=step.error)
            for step in timeline.inside_steps
        ),
    )


def _message(stored: StoredMessage) -> MessageShown:
    message = stored.message
    return MessageShown(
        external_id=message.external_id,
        author=message.author,
        public=message.public,
        text=message.text,
        attachments=message.attachments,
        created_at=message.created_at,
        received_at=stored.received_at,
        automatic=stored.automatic,
        ours=stored.ours,
        revision=stored.revision,
    )


def _run(record: RunRecord) -> RunOfTicket:
    return RunOfTicket(
        id=record.run_id,
        parent_run_id=record.parent_run_id,
        ticket_revision=record.ticket_revision,
        outcome=record.outcome,
        reason=record.reason,
        received_at=record.received_at,
        finished_at=record.finished_at,
        late=record.late,
        timings=record.timings,
    )
