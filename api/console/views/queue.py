"""The queue's content: what waits for a decision, for a person, for an answer; made from stored rows only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from api.console.views.figures import counted
from approvals.item_lines import amount_of, customer, first_words, flags_of
from approvals.order_of_work import by_risk_and_age
from approvals.seed_cover import covered
from approvals.wording import KINDS, Badge, Tone, span, words
from db.read_models.activity import Activity
from db.read_models.pages import Page
from db.read_models.queue import QueueItem
from db.repositories.executions import Execution
from db.repositories.inbox import Buried
from db.repositories.tickets import Ticket
from support_agents.domain.action import ActionKind
from support_agents.domain.ids import RequestId, TicketId

_SIDE = 8
_HURRY = 25


@dataclass(frozen=True)
class Row:
    """One request in the list; `left_share` is per cent of its time limit."""

    request_id: RequestId
    customer: str
    subject: str
    words: str
    intent: str
    amount: str
    created_at: datetime
    left: str
    left_share: int
    hurry: bool
    badges: tuple[Badge, ...]


@dataclass(frozen=True)
class WaitingTicket:
    """A ticket that came back to people, and why."""

    ticket_id: TicketId
    customer: str
    subject: str
    reason: str
    since: datetime


@dataclass(frozen=True)
class DoubtRow:
    """An action whose outcome is not known."""

    request_id: RequestId
    what: str
    reason: str
    since: datetime


@dataclass(frozen=True)
class BuriedRow:
    """Something that could not be understood or carried out."""

    what: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class Counts:
    """How much of each there is, as words; where counting was ended it says `10000+`."""

    pending: str
    needs_person: str
    in_doubt: str
    buried: str


@dataclass(frozen=True)
class QueueView:
    """The whole page."""

    items: tuple[Row, ...]
    next: str | None
    after: str | None
    needs_person: tuple[WaitingTicket, ...]
    more_needs_person: bool
    in_doubt: tuple[DoubtRow, ...]
    buried: tuple[BuriedRow, ...]
    counts: Counts
    now: datetime


@dataclass(frozen=True)
class QueueGiven:
    """What the page is made of."""

    page: Page[QueueItem]
    after: str | None
    pending: int
    activity: Activity
    doubted: Sequence[QueueItem]
    now: datetime


def shown_queue(given: QueueGiven) -> QueueView:
    """Put the page together; what the ticket's newer revision has overtaken is left out."""
    now, activity = given.now, given.activity
    open_items = [item for item in given.page.items if not item.superseded and item.request.expires_at > now]
    buried = shown_buried(activity)
    return QueueView(
        items=tuple(_row(item, now) for item in sorted(open_items, key=lambda item: by_risk_and_age(item.request))),
        next=given.page.next,
        after=given.after,
        needs_person=tuple(waiting(line.ticket) for line in activity.needs_person[:_SIDE]),
        more_needs_person=len(activity.needs_person) > _SIDE,
        in_doubt=tuple(_doubt(item, item.execution) for item in given.doubted if item.execution is not None),
        buried=buried[:_SIDE],
        counts=Counts(
            pending=str(given.pending),
            needs_person=counted(activity.stuck.needs_person),
            in_doubt=counted(activity.stuck.in_doubt),
            buried=counted(activity.stuck.buried),
        ),
        now=now,
    )


def _row(item: QueueItem, now: datetime) -> Row:
    request, ticket, intent = item.request, item.ticket, item.run.sections.intent
    left, whole = request.expires_at - now, request.expires_at - request.created_at
    share = max(0, min(100, round(100 * left / whole))) if whole else 0
    return Row(
        request_id=request.id,
        customer=customer(ticket),
        subject=ticket.subject,
        words=first_words(item.customer_message.text if item.customer_message else ""),
        intent=words(intent.top.name) if intent and intent.intents else "",
        amount=amount_of(item),
        created_at=request.created_at,
        left=f"{span(left)} left",
        left_share=share,
        hurry=share < _HURRY,
        badges=(*_step(request.kind), *flags_of(covered(item))),
    )


def _step(kind: ActionKind) -> tuple[Badge, ...]:
    """What is asked for, where neither an amount nor a reply says it."""
    return () if kind in {ActionKind.SEND_REPLY, ActionKind.ISSUE_REFUND} else (Badge(KINDS[kind], Tone.CARE),)


def waiting(ticket: Ticket) -> WaitingTicket:
    """A ticket on the list of people."""
    reason = ticket.needs_person_reason or ""
    return WaitingTicket(ticket.id, customer(ticket), ticket.subject, reason, ticket.changed_at)


def _doubt(item: QueueItem, execution: Execution) -> DoubtRow:
    what = f"Refund {amount_of(item)}" if item.request.kind is ActionKind.ISSUE_REFUND else KINDS[item.request.kind]
    reason = execution.reason or "The outcome is unknown."
    return DoubtRow(item.request.id, f"{what} · {customer(item.ticket)}", reason, execution.created_at)


def shown_buried(activity: Activity) -> tuple[BuriedRow, ...]:
    """Webhooks that were not understood and events that failed too often, the newest first."""
    events = [
        BuriedRow(f"Event: {words(event.name)}", f"{event.error or 'failed'} · {event.attempts} tries", event.buried_at)
        for event in activity.buried_events
    ]
    rows = [*(_webhook(found) for found in activity.buried_inbox), *events]
    return tuple(sorted(rows, key=lambda row: row.at, reverse=True))


def _webhook(found: Buried) -> BuriedRow:
    return BuriedRow(f"Webhook from {found.source}", found.reason, found.received_at)
