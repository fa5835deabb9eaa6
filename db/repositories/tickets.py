"""Tickets and their messages as rows; what an event does to a ticket is decided in `db.ticket_store`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Row, Select, bindparam, exists, select, update

from db.base import table_of
from db.made import made
from db.many import ManyRows
from db.models.approvals import ApprovalRequestRow
from db.models.executions import ExecutionRow
from db.models.tickets import MessageRow, TicketRow
from db.statements import Statements
from support_agents.domain.approval import ExecutionStatus
from support_agents.domain.ids import InboxId, RequestId, TicketId, WorkspaceId, new_id
from support_agents.domain.ticket import Attachment, Author, Channel, InboundMessage, Message, Requester, TicketSnapshot

TICKETS = table_of(TicketRow)
MESSAGES = table_of(MessageRow)
EXECUTIONS = table_of(ExecutionRow)
MESSAGE_COLUMNS = (
    *("id", "workspace_id", "ticket_id", "inbox_id", "external_id", "author", "public", "automatic", "ours"),
    *("revision", "text", "html", "attachments", "written_at", "received_at"),
)
ADD_MESSAGES = ManyRows(MESSAGES, MESSAGE_COLUMNS)
ATTACHMENTS = TypeAdapter(tuple[Attachment, ...])
LONGEST_CONVERSATION = 50
_DOUBT = "in doubt"  # how the newest word on a doubt begins: it takes the place of an older one
_LONGEST_REASON = 2_000


class TicketStatus(StrEnum):
    """Where the ticket stands in the helpdesk."""

    OPEN = "open"
    SOLVED = "solved"
    CLOSED = "closed"
    MERGED = "merged"


@dataclass(frozen=True)
class Ticket:
    """A ticket's row; `*_revision` say at which revision something last happened, 0 = never."""

    id: TicketId
    workspace_id: WorkspaceId
    source: str
    external_id: str
    subject_id: UUID
    subject: str
    requester_email: str
    requester_name: str
    requester_verified: bool
    channel: str
    order_id: str | None
    status: TicketStatus
    revision: int
    sender_revision: int | None
    customer_revision: int
    operator_revision: int
    answered_revision: int
    customer_received_at: datetime | None
    changed_at: datetime
    needs_person_reason: str | None

    @property
    def requester(self) -> Requester:
        """Whose ticket it is."""
        return Requester(email=self.requester_email, name=self.requester_name, verified=self.requester_verified)

    @property
    def awaits_answer(self) -> bool:
        """Whether the customer has written since we last answered, or a run last answered for us."""
        answered = max(self.operator_revision, self.answered_revision)
        return self.status is TicketStatus.OPEN and self.customer_revision > answered


@dataclass(frozen=True)
class NewMessage:
    """The message of a stored event, and its ticket after it; `ours` marks our own echo."""

    inbox_id: InboxId
    ticket: Ticket
    inbound: InboundMessage
    ours: bool


ADD = ManyRows(TICKETS, tuple(Ticket.__dataclass_fields__), unless_there=("workspace_id", "source", "external_id"))
CHANGING = set(Ticket.__dataclass_fields__) - {"workspace_id", "source", "external_id"}
SAVE = (
    update(TICKETS)
    .where(TICKETS.c.id == bindparam("new_id"))
    .values({name: bindparam(f"new_{name}") for name in CHANGING - {"id"}})
)
COLUMNS = tuple(TICKETS.c[name] for name in Ticket.__dataclass_fields__)
STATUS = tuple(Ticket.__dataclass_fields__).index("status")
_DOUBTED = select(TICKETS.c.needs_person_reason).where(
    TICKETS.c.id == bindparam("wanted"),
    exists().where(EXECUTIONS.c.ticket_id == TICKETS.c.id, EXECUTIONS.c.status == ExecutionStatus.IN_DOUBT),
)
_NEEDS_PERSON = made(
    update(TICKETS).where(TICKETS.c.id == bindparam("wanted")).values(needs_person_reason=bindparam("reason"))
)
_ANSWERED = made(
    update(TICKETS)
    .where(TICKETS.c.id == bindparam("wanted"))
    .values(answered_revision=bindparam("answered"), needs_person_reason=bindparam("reason"))
)
NEWEST = made(
    select(MESSAGES)
    .where(MESSAGES.c.ticket_id == bindparam("ticket"), MESSAGES.c.public, MESSAGES.c.automatic.is_(False))
    .order_by(MESSAGES.c.written_at.desc(), MESSAGES.c.id.desc())
    .limit(LONGEST_CONVERSATION)
)
_OF_SENDER = (
    select(*COLUMNS)
    .where(TICKETS.c.workspace_id == bindparam("workspace"), TICKETS.c.source == bindparam("source"))
    .order_by(TICKETS.c.id)
    .with_for_update(key_share=True)
)
# Not a row value IN (…): SQLite would scan the table for more than one row.
FIND = _OF_SENDER.where(TICKETS.c.external_id.in_(bindparam("externals", expanding=True)))
FIND_ONE = made(_OF_SENDER.where(TICKETS.c.external_id == bindparam("externals")))
GET = made(select(*COLUMNS).where(TICKETS.c.id == bindparam("ticket")))
LOCK = made(GET.with_for_update(key_share=True))
_REQUESTS = table_of(ApprovalRequestRow)
LOCK_OF = made(
    select(*COLUMNS)
    .where(
        TICKETS.c.id == select(_REQUESTS.c.ticket_id).where(_REQUESTS.c.id == bindparam("request")).scalar_subquery()
    )
    .with_for_update(key_share=True)
)


class Tickets:
    """Reads, locks and saves tickets."""

    def __init__(self, session: Statements) -> None:
        self._session = session
        self._locked: dict[TicketId, Ticket] = {}  # as they are now: nobody else can change them

    async def get(self, ticket: TicketId) -> Ticket | None:
        """Read one."""
        return await self._one(GET, {"ticket": ticket})

    async def lock(self, ticket: TicketId) -> Ticket | None:
        """Read one and keep others from changing it until the end of the transaction; a second time asks nobody."""
        if ticket not in self._locked:
            found = await self._one(LOCK, {"ticket": ticket})
            if found is None:
                return None
            self._locked[ticket] = found
        return self._locked[ticket]

    async def lock_of(self, request: RequestId) -> Ticket | None:
        """The same for the ticket of an approval request, which is locked after it."""
        return await self._one(LOCK_OF, {"request": request})

    async def find_locked(self, keys: Sequence[tuple[WorkspaceId, str, str]]) -> tuple[Ticket, ...]:
        """Read and lock those that exist, by workspace, source and the helpdesk's id; always in the same order."""
        by_sender: dict[tuple[WorkspaceId, str], list[str]] = {}
        for workspace, source, external in keys:
            by_sender.setdefault((workspace, source), []).append(external)
        found: list[Ticket] = []
        for (workspace, source), externals in sorted(by_sender.items()):
            alone = len(externals) == 1
            given = {"workspace": workspace, "source": source, "externals": externals[0] if alone else externals}
            found += map(read_ticket, await self._session.execute(FIND_ONE if alone else FIND, given))
        return tuple(found)

    async def add(self, tickets: Sequence[Ticket]) -> bool:
        """Insert; False when another transaction has made one of them."""
        if not tickets:
            return True
        rows = [vars(ticket) | {"channel": str(ticket.channel), "status": str(ticket.status)} for ticket in tickets]
        return len(await ADD.inserted(self._session, rows)) == len(tickets)

    async def save(self, tickets: Sequence[Ticket]) -> None:
        """Write all that may change of locked tickets."""
        if tickets:
            rows = [
                {f"new_{name}": value for name, value in vars(ticket).items() if name in CHANGING} for ticket in tickets
            ]
            await self._session.execute(SAVE, rows)
            self._locked.update((ticket.id, ticket) for ticket in tickets if ticket.id in self._locked)

    async def needs_person(self, ticket: TicketId, reason: str | None) -> None:
        """Return the ticket to people with a reason they understand, or take it off their list.

        While an execution on it is in doubt, why it is so stays beside any other reason, and no answer takes it away.
        """
        told = await self._beside_doubt(ticket, reason)
        await self._session.later(_NEEDS_PERSON, {"wanted": ticket, "reason": told})
        self._note(ticket, needs_person_reason=told)

    async def answered(self, ticket: TicketId, *, revision: int, needs_person: str | None) -> None:
        """Note that a finished run has answered `revision`; a doubt stays on people's list."""
        reason = await self._beside_doubt(ticket, needs_person)
        await self._session.later(_ANSWERED, {"wanted": ticket, "answered": revision, "reason": reason})
        self._note(ticket, answered_revision=revision, needs_person_reason=reason)

    def _note(self, ticket: TicketId, **changed: int | str | None) -> None:
        """Keep what is known of a locked ticket as it was just written."""
        if ticket in self._locked:
            self._locked[ticket] = replace(self._locked[ticket], **changed)  # type: ignore[arg-type] # two columns

    async def _beside_doubt(self, ticket: TicketId, reason: str | None) -> str | None:
        """The reason, with the one that is there while the outcome of an execution on the ticket is unknown."""
        if ticket in self._locked and not self._locked[ticket].needs_person_reason:
            return reason
        doubt: str = (await self._session.execute(_DOUBTED, {"wanted": ticket})).scalar() or ""
        if not doubt or not reason or reason in doubt:
            return doubt or reason
        return reason if doubt in reason or reason.startswith(_DOUBT) else f"{doubt}; {reason}"[:_LONGEST_REASON]

    async def add_messages(self, messages: Sequence[NewMessage]) -> None:
        """Store messages."""
        if messages:
            await ADD_MESSAGES.insert(self._session, [row for new in messages for row in _message_rows(new)])

    async def snapshot(self, ticket: Ticket) -> TicketSnapshot:
        """The ticket as a run reads it: its newest public messages that no machine wrote, in order of time."""
        rows = (await self._session.execute(NEWEST, {"ticket": ticket.id})).all()
        return snapshot_of(ticket, rows)

    async def _one(self, query: Select[*tuple[Any, ...]], given: dict[str, Any] | None = None) -> Ticket | None:
        row = (await self._session.execute(query, given)).first()
        return None if row is None else read_ticket(row)


def snapshot_of(ticket: Ticket, newest: Sequence[Row[*tuple[Any, ...]]]) -> TicketSnapshot:
    """The ticket with its newest messages, the newest first, as a run reads it."""
    return TicketSnapshot(
        workspace=ticket.workspace_id,
        id=ticket.id,
        source=ticket.source,
        external_id=ticket.external_id,
        revision=ticket.revision,
        subject=ticket.subject,
        requester=ticket.requester,
        channel=Channel(ticket.channel),
        order_id=ticket.order_id,
        messages=read_messages(newest[::-1]),
        received_at=ticket.customer_received_at or ticket.changed_at,
    )


def read_ticket(row: Sequence[Any]) -> Ticket:
    """A row of `COLUMNS`."""
    values = [*row]
    values[STATUS] = TicketStatus(values[STATUS])
    return Ticket(*values)


def read_messages(rows: Sequence[Row[*tuple[Any, ...]]]) -> tuple[Message, ...]:
    """Rows of `messages` as the domain knows them."""
    return tuple(
        Message(
            external_id=row.external_id,
            text=row.text,
            html=row.html,
            author=Author(row.author),
            public=row.public,
            created_at=row.written_at,
            attachments=ATTACHMENTS.validate_json(row.attachments),
        )
        for row in rows
    )


def _message_rows(new: NewMessage) -> Iterator[dict[str, object]]:
    """The row of an event's message, if it has one."""
    message = new.inbound.message
    if message is not None:
        yield {
            "id": new_id(),
            "workspace_id": new.ticket.workspace_id,
            "ticket_id": new.ticket.id,
            "inbox_id": new.inbox_id,
            "external_id": message.external_id,
            "author": str(message.author),
            "public": message.public,
            "automatic": new.inbound.automatic,
            "ours": new.ours,
            "revision": new.ticket.revision,
            "text": message.text,
            "html": message.html,
            "attachments": ATTACHMENTS.dump_json(message.attachments).decode(),
            "written_at": message.created_at,
            "received_at": new.inbound.received_at,
        }
