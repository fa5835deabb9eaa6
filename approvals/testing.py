"""Fakes of what approvals talk to, with the faults that the real ones have; they open no socket and no file."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from approvals.ports import (
    Absent,
    Comment,
    Conflict,
    Found,
    HelpdeskTicket,
    Letter,
    Missing,
    NotNow,
    Performed,
    Receipt,
    RefundOrder,
    Refused,
    StepOrder,
    Unknown,
)
from support_agents.domain.ids import ActionId
from support_agents.domain.money import Money


class Fault(StrEnum):
    """What can go wrong with one call."""

    FAIL = "fail"
    REFUSE = "refuse"
    DEFER = "defer"
    STALL = "stall"
    TIME_OUT_AFTER = "time_out_after"


@dataclass
class Faults:
    """Faults of the calls to come, in order; `reached` is set when a stalled call waits for `release`."""

    coming: list[Fault] = field(default_factory=list)
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def before(self) -> tuple[Fault | None, Performed | None]:
        """Take the next call's fault: it may answer in the effect's place, or let it happen late."""
        fault = self.coming.pop(0) if self.coming else None
        if fault is Fault.FAIL:
            return fault, Unknown("no connection")
        if fault is Fault.REFUSE:
            return fault, Refused("refused", "the provider said no")
        if fault is Fault.DEFER:
            return fault, NotNow("try again later")
        if fault is Fault.STALL:
            self.reached.set()
            await self.release.wait()
        return fault, None

    async def after(self, fault: Fault | None) -> None:
        """Be past the limit when the effect has happened; at once, as a short limit may come before the effect."""
        if fault is Fault.TIME_OUT_AFTER:
            raise TimeoutError("the answer was lost")


@dataclass
class FakePaymentGateway:
    """A provider in memory: idempotency keys, a limit per payment, a consistent look-up."""

    payments: dict[str, Money] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    booked: dict[str, RefundOrder] = field(default_factory=dict)
    live: bool = False
    answers: bool = True
    name: str = "ledger"
    failed_afterwards: Refused | None = None

    async def refund(self, order: RefundOrder) -> Performed:
        """Book once per key."""
        fault, answer = await self.faults.before()
        answer = answer or self._book(order)
        await self.faults.after(fault)
        return answer

    async def find(self, payment_ref: str, action: ActionId) -> Found | Refused:
        """Look through everything booked; `answers` off: not reachable."""
        if not self.answers or self.failed_afterwards is not None:
            return self.failed_afterwards or Unknown("no connection")
        found = [key for key, o in self.booked.items() if (o.payment_ref, o.action) == (payment_ref, action)]
        return Receipt(f"refund-{found[0]}") if found else Absent()

    def _book(self, order: RefundOrder) -> Performed:
        known = self.booked.get(order.key)
        if known is not None:
            return Receipt(f"refund-{order.key}") if known == order else Refused("key_reused", "other parameters")
        paid = self.payments.get(order.payment_ref)
        if paid is None:
            return Refused("unknown_payment", "no such payment")
        spent = sum(o.amount.minor for o in self.booked.values() if o.payment_ref == order.payment_ref)
        if order.amount.currency != paid.currency or not 0 < order.amount.minor <= paid.minor - spent:
            return Refused("too_much", "more than is left of what was paid")
        self.booked[order.key] = order
        return Receipt(f"refund-{order.key}")


@dataclass
class FakeTicket:
    """A helpdesk's ticket; every change gives it a new stamp."""

    requester_email: str
    is_open: bool = True
    copied: set[str] = field(default_factory=set)
    comments: list[Comment] = field(default_factory=list)
    last_foreign_comment_at: datetime | None = None
    version: int = 1

    @property
    def stamp(self) -> str:
        """The time of the last update, a second per version."""
        return (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.version)).isoformat()


@dataclass
class FakeHelpdeskGateway:
    """A helpdesk in memory with conditional updates and markers that can be found."""

    tickets: dict[str, FakeTicket] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    live: bool = False
    answers: bool = True

    async def look(self, external_ticket: str) -> HelpdeskTicket | Missing | Unknown:
        """Tell the ticket's state; `answers` off: not reachable."""
        if not self.answers:
            return Unknown("no connection")
        ticket = self.tickets.get(external_ticket)
        if ticket is None:
            return Missing()
        return HelpdeskTicket(
            stamp=ticket.stamp,
            requester_email=ticket.requester_email,
            open=ticket.is_open,
            last_foreign_comment_at=ticket.last_foreign_comment_at,
            copied=frozenset(ticket.copied),
        )

    async def comment(self, comment: Comment) -> Performed:
        """Write if the stamp still fits."""
        fault, answer = await self.faults.before()
        answer = answer or self._write(comment)
        await self.faults.after(fault)
        return answer

    async def find(self, external_ticket: str, marker: str) -> Found:
        """Look through the comments' markers."""
        if not self.answers:
            return Unknown("no connection")
        comments = self.tickets[external_ticket].comments if external_ticket in self.tickets else []
        found = next((c for c in comments if c.marker.startswith(marker)), None)
        return Absent() if found is None else Receipt(f"comment-{found.marker}")

    def _write(self, comment: Comment) -> Performed:
        ticket = self.tickets.get(comment.external_ticket)
        if ticket is None:
            return Refused("gone", "no such ticket")
        if comment.stamp is not None and comment.stamp != ticket.stamp:
            return Conflict("the ticket was updated at the same time")
        ticket.comments.append(comment)
        ticket.version += 1
        return Receipt(f"comment-{comment.marker}")


@dataclass
class FakeStepGateway:
    """A shop's own system in memory; it does each action once, whatever the key."""

    asked: list[StepOrder] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    live: bool = False
    answers: bool = True

    async def ask(self, order: StepOrder) -> Performed:
        """Do it."""
        fault, answer = await self.faults.before()
        if answer is not None:
            return answer
        if order.key not in {known.key for known in self.asked}:
            self.asked.append(order)
        await self.faults.after(fault)
        return Receipt(f"step-{order.key}")

    async def find(self, status_url: str) -> Found | Refused:
        """Look through what was asked for; the address ends with the action."""
        if not self.answers:
            return Unknown("no connection")
        action = status_url.rpartition("/")[2]
        found = next((order for order in self.asked if order.key.startswith(f"{action}.")), None)
        return Absent() if found is None else Receipt(f"step-{found.key}")


@dataclass
class FakeMailTransport:
    """A mail server in memory; FAIL is a server out of reach, TIME_OUT_AFTER loses the answer to DATA."""

    sent: list[Letter] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    live: bool = False
    dkim: str = ""

    async def send(self, letter: Letter, *, before_data: Callable[[], Awaitable[bool]]) -> Performed:
        """Take the letter after `before_data` has said yes."""
        fault, answer = await self.faults.before()
        if answer is not None:
            return answer
        if not await before_data():
            return Unknown("no longer entitled")
        self.sent.append(letter)
        await self.faults.after(fault)
        return Receipt(f"queued-{len(self.sent)}")
