"""Many inbound events in one transaction and a handful of statements, applied in the order in which they came."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from db.base import storable
from db.repositories.inbox import NewEvent
from db.repositories.subjects import IdentifierHash, Person
from db.repositories.tickets import NewMessage, Ticket
from db.ticket_events import applied, starts_run, unseen
from db.uow import UnitOfWork
from support_agents.domain.errors import SupportError
from support_agents.domain.events import EventName
from support_agents.domain.ids import InboxId, TicketId, WorkspaceId, new_id
from support_agents.domain.ticket import Author, InboundMessage

MADE_AT_ONCE = "made_at_once"


@dataclass(frozen=True)
class Received:
    """What became of an event; a duplicate changed nothing."""

    ticket_id: TicketId
    duplicate: bool
    starts_run: bool


class TicketKey(NamedTuple):
    """What names a ticket to its sender."""

    workspace: WorkspaceId
    source: str
    external_id: str


class Receiving:
    """The work of one such transaction: tickets are loaded, changed in memory, and written once at the end."""

    def __init__(self, uow: UnitOfWork, identifiers: IdentifierHash) -> None:
        self._uow = uow
        self._identifiers = identifiers
        self._stored: dict[TicketKey, Ticket] = {}
        self._tickets: dict[TicketKey, Ticket] = {}
        self._subjects: dict[tuple[WorkspaceId, str], UUID] = {}
        self._messages: list[NewMessage] = []
        self._to_run: list[Ticket] = []
        self._to_read: list[Ticket] = []

    async def receive(self, events: Sequence[tuple[InboundMessage, bytes]]) -> list[Received]:
        """Store each event once and apply those that are new."""
        new = [NewEvent(InboxId(new_id()), inbound, raw) for inbound, raw in events]
        fresh = await self._uow.inbox.add(new)
        keys = sorted({_key(event.inbound) for event in new})
        self._stored = {_key_of(ticket): ticket for ticket in await self._uow.tickets.find_locked(keys)}
        self._tickets = dict(self._stored)
        await self._find_people([event.inbound for event in new if event.id in fresh])
        results = [await self._one(event, is_new=event.id in fresh) for event in new]
        await self._write()
        return results

    async def _find_people(self, inbound: Sequence[InboundMessage]) -> None:
        """Subjects are needed only where the requester is not the one that the ticket has."""
        others = {(each.workspace, each.ticket.requester.email) for each in inbound if self._is_other(each)}
        people = {(workspace, email): Person(workspace, self._identifiers.email(email)) for workspace, email in others}
        if people:
            found = await self._uow.subjects.by_email(sorted(set(people.values())))
            self._subjects = {who: found[person] for who, person in people.items()}

    def _is_other(self, inbound: InboundMessage) -> bool:
        ticket = self._stored.get(_key(inbound))
        return ticket is None or ticket.requester_email != inbound.ticket.requester.email

    async def _one(self, event: NewEvent, *, is_new: bool) -> Received:
        inbound, key = event.inbound, _key(event.inbound)
        if not is_new:
            return Received(self._tickets[key].id, duplicate=True, starts_run=False)
        who = (inbound.workspace, inbound.ticket.requester.email)
        before = self._tickets.get(key)
        if before is None:
            before = unseen(inbound, subject=self._subjects[who])
        ours = await self._is_ours(before, inbound)
        subject = self._subjects.get(who, before.subject_id)
        after = self._tickets[key] = applied(before, inbound, subject=subject, ours=ours)
        if inbound.message is not None:
            self._messages.append(NewMessage(event.id, after, inbound, ours=ours))
            if _has_files(inbound) and self._uow.outbox.hears(EventName.ATTACHMENTS_DUE):
                self._to_read.append(after)
        starts = starts_run(before, after, inbound)
        if starts:
            self._to_run.append(after)
        return Received(after.id, duplicate=False, starts_run=starts)

    async def _is_ours(self, ticket: Ticket, inbound: InboundMessage) -> bool:
        """Whether the message is the echo of a comment that we made."""
        message = inbound.message
        if message is None or message.author is not Author.OPERATOR:
            return False
        if inbound.marker is not None and await self._uow.executions.knows_marker(inbound.workspace, inbound.marker):
            return True
        return inbound.by_api_user and await self._uow.executions.executing_on(ticket.id)

    async def _write(self) -> None:
        new = [ticket for key, ticket in self._tickets.items() if key not in self._stored]
        if not await self._uow.tickets.add(new):
            raise SupportError(MADE_AT_ONCE, "another process made one of these tickets first")
        old = self._stored.items()
        await self._uow.tickets.save([self._tickets[key] for key, before in old if self._tickets[key] != before])
        await self._uow.tickets.add_messages(self._messages)
        # Files first: whoever runs waits a moment for them.
        await self._tell(EventName.ATTACHMENTS_DUE, self._to_read)
        await self._tell(EventName.TICKET_RECEIVED, self._to_run)

    async def _tell(self, name: EventName, tickets: Sequence[Ticket]) -> None:
        for workspace in {ticket.workspace_id for ticket in tickets}:
            mine = [ticket.id for ticket in tickets if ticket.workspace_id == workspace]
            await self._uow.outbox.add_all(name, mine, workspace=workspace)


def _has_files(inbound: InboundMessage) -> bool:
    """Whether a customer's own message names files; what a machine or one of us attached is not read."""
    message = inbound.message
    is_theirs = message is not None and message.author is Author.CUSTOMER and message.public and not inbound.automatic
    return is_theirs and message is not None and bool(message.attachments)


def _key(inbound: InboundMessage) -> TicketKey:
    return TicketKey(inbound.workspace, inbound.source, storable(inbound.ticket.external_id))


def _key_of(ticket: Ticket) -> TicketKey:
    return TicketKey(ticket.workspace_id, ticket.source, ticket.external_id)
