"""Everything of one ticket: what was said, thought, asked, decided and done; it changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from db.base import table_of
from db.models.approvals import ApprovalRequestRow
from db.models.executions import AttemptRow, ExecutionRow
from db.models.inbox import InboxRow
from db.read_models.queue import Answer, answers_to
from db.repositories.approvals import ApprovalRequest
from db.repositories.attachments import ReadFile
from db.repositories.executions import Attempt, Execution
from db.repositories.inside_steps import InsideStep
from db.repositories.runs import OpenRun
from db.repositories.tickets import MESSAGES, Ticket, read_messages
from db.uow import UnitOfWork
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import TicketId
from support_agents.domain.runs import RunRecord
from support_agents.domain.ticket import EventKind, Message

REQUESTS = table_of(ApprovalRequestRow)
EXECUTIONS = table_of(ExecutionRow)
ATTEMPTS = table_of(AttemptRow)
INBOX = table_of(InboxRow)
# Of each kind of thing; a page shows no more.
MOST = 100


@dataclass(frozen=True)
class StoredMessage:
    """A message with what became of it; `ours` marks the echo of what we sent, `files` are by position."""

    message: Message
    automatic: bool
    ours: bool
    revision: int
    received_at: datetime
    files: Mapping[int, ReadFile] = field(default_factory=dict)


@dataclass(frozen=True)
class TicketEvent:
    """An event without a message: solved, closed, merged, another requester."""

    kind: EventKind
    received_at: datetime


@dataclass(frozen=True)
class TicketTimeline:
    """One ticket whole; each tuple is the newest hundred, oldest first."""

    ticket: Ticket
    messages: tuple[StoredMessage, ...]
    events: tuple[TicketEvent, ...]
    open_run: OpenRun | None
    runs: tuple[RunRecord, ...]
    requests: tuple[ApprovalRequest, ...]
    answers: Mapping[UUID, tuple[Answer, ...]]
    executions: tuple[Execution, ...]
    attempts: tuple[Attempt, ...]
    inside_steps: tuple[InsideStep, ...]


async def ticket_timeline(uow: UnitOfWork, ticket_id: TicketId) -> TicketTimeline:
    """All of a ticket; `not_found` when there is none. `answers` are by request id."""
    ticket = await uow.tickets.get(ticket_id)
    if ticket is None:
        raise SupportError("not_found", f"no ticket {ticket_id}")
    requests = await _requests(uow, ticket_id)
    return TicketTimeline(
        ticket=ticket,
        messages=await _messages(uow, ticket_id),
        events=await _events(uow, ticket),
        open_run=await uow.runs.open_of(ticket_id),
        runs=await uow.runs.of(ticket_id, limit=MOST),
        requests=requests,
        answers=await answers_to(uow, [request.id for request in requests]),
        executions=await _executions(uow, ticket_id),
        attempts=await _attempts(uow, ticket_id),
        inside_steps=await uow.inside_steps.on(ticket_id),
    )


async def _messages(uow: UnitOfWork, ticket: TicketId) -> tuple[StoredMessage, ...]:
    newest = MESSAGES.c.written_at.desc(), MESSAGES.c.id.desc()
    query = select(MESSAGES).where(MESSAGES.c.ticket_id == ticket).order_by(*newest).limit(MOST)
    rows = (await uow.session.execute(query)).all()[::-1]
    messages = read_messages(rows)
    files = await uow.attachments.of_messages(ticket) if any(message.attachments for message in messages) else {}
    return tuple(
        StoredMessage(message, row.automatic, row.ours, row.revision, row.received_at, files.get(row.id, {}))
        for row, message in zip(rows, messages, strict=True)
    )


async def _events(uow: UnitOfWork, ticket: Ticket) -> tuple[TicketEvent, ...]:
    query = (
        select(INBOX.c.event_kind, INBOX.c.received_at)
        .where(
            INBOX.c.workspace_id == ticket.workspace_id,
            INBOX.c.source == ticket.source,
            INBOX.c.external_ticket == ticket.external_id,
            INBOX.c.event_kind.in_([kind for kind in EventKind if kind is not EventKind.MESSAGE_CREATED]),
        )
        .order_by(INBOX.c.id.desc())
        .limit(MOST)
    )
    rows = (await uow.session.execute(query)).all()[::-1]
    return tuple(TicketEvent(EventKind(row.event_kind), row.received_at) for row in rows)


async def _requests(uow: UnitOfWork, ticket: TicketId) -> tuple[ApprovalRequest, ...]:
    query = select(REQUESTS).where(REQUESTS.c.ticket_id == ticket).order_by(REQUESTS.c.id.desc()).limit(MOST)
    rows = (await uow.session.execute(query)).mappings().all()[::-1]
    return tuple(ApprovalRequest.model_validate(dict(row)) for row in rows)


async def _executions(uow: UnitOfWork, ticket: TicketId) -> tuple[Execution, ...]:
    query = select(EXECUTIONS).where(EXECUTIONS.c.ticket_id == ticket).order_by(EXECUTIONS.c.id.desc()).limit(MOST)
    rows = (await uow.session.execute(query)).mappings().all()[::-1]
    return tuple(Execution.model_validate(dict(row)) for row in rows)


async def _attempts(uow: UnitOfWork, ticket: TicketId) -> tuple[Attempt, ...]:
    query = select(ATTEMPTS).where(ATTEMPTS.c.ticket_id == ticket).order_by(ATTEMPTS.c.id.desc()).limit(MOST)
    rows = (await uow.session.execute(query)).mappings().all()[::-1]
    return tuple(Attempt.model_validate(dict(row)) for row in rows)
