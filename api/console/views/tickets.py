"""A list of tickets, the newest change first; made from stored rows only."""

from dataclasses import dataclass
from datetime import datetime

from approvals.item_lines import customer
from approvals.wording import OUTCOMES, Badge
from db.read_models.pages import Page
from db.read_models.tickets import TicketLine
from db.repositories.tickets import TicketStatus
from support_agents.domain.ids import TicketId


@dataclass(frozen=True)
class TicketRow:
    """One ticket."""

    ticket_id: TicketId
    customer: str
    subject: str
    at: datetime
    reason: str
    badges: tuple[Badge, ...]


@dataclass(frozen=True)
class TicketsView:
    """The whole page."""

    items: tuple[TicketRow, ...]
    next: str | None
    waiting: bool
    now: datetime


def shown_tickets(page: Page[TicketLine], *, waiting: bool, now: datetime) -> TicketsView:
    """Put the page together."""
    return TicketsView(tuple(_row(line) for line in page.items), page.next, waiting, now)


def _row(line: TicketLine) -> TicketRow:
    ticket = line.ticket
    badges = [OUTCOMES[line.outcome]] if line.outcome else [Badge("no run yet")]
    if ticket.status is not TicketStatus.OPEN:
        badges.append(Badge(ticket.status))
    reason = ticket.needs_person_reason or ""
    return TicketRow(ticket.id, customer(ticket), ticket.subject, ticket.changed_at, reason, tuple(badges))
