"""The outside as it survives our crashes: providers whose effects are in a file, and that fail where a plan says so."""

import contextvars
import json
import os
import signal
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from approvals.ports import (
    Comment,
    Found,
    HelpdeskTicket,
    Letter,
    Missing,
    Performed,
    Receipt,
    RefundOrder,
    Refused,
    Unknown,
)
from approvals.testing import FakeHelpdeskGateway, FakeMailTransport, FakePaymentGateway
from support_agents.domain.errors import Failed, Ok
from support_agents.domain.ids import ActionId
from support_agents.domain.money import Money
from support_agents.domain.orders import NotTheirs, OrderFacts, UnknownOrder
from support_agents.domain.ticket import Requester
from support_agents.testing.orders import FakeOrderLookup
from tests.soak.clock import MovableClock
from tests.soak.faults import Fault, Planned, Site

# Longer than a call's limit and its margin: who sleeps so long has lost the lease.
NAP = timedelta(seconds=45)
current: contextvars.ContextVar[str] = contextvars.ContextVar("current", default="")


class CrashError(BaseException):
    """The process ends here; no `except Exception` may survive it."""


@dataclass
class Journal:
    """Lines that are in the file before the call that wrote them returns; without a path, in memory only."""

    path: Path | None
    lines: list[dict[str, Any]] = field(default_factory=list)
    _file: int = -1

    def __post_init__(self) -> None:
        if self.path is None:
            return
        if self.path.exists():
            self.lines = [json.loads(line) for line in self.path.read_text().splitlines()]
        self._file = os.open(self.path, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o600)

    def write(self, **line: Any) -> None:
        """Append one line, in one system call."""
        if self.path is not None:
            os.write(self._file, json.dumps(line).encode() + b"\n")
        self.lines.append(line)

    def of(self, what: str) -> list[dict[str, Any]]:
        """The lines of one kind, oldest first."""
        return [line for line in self.lines if line["what"] == what]

    def close(self) -> None:
        """Close the file."""
        if self.path is not None:
            os.close(self._file)


@dataclass
class Outside:
    """The plan of faults by action, and what has been used of it."""

    journal: Journal
    clock: MovableClock
    plans: Mapping[str, tuple[Planned, ...]] = field(default_factory=dict)
    flying: list[Callable[[], object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._used = {(line["action"], line["number"]) for line in self.journal.of("fault")}

    def take(self, action: str, site: Site, label: str = "", side: str = "") -> Fault | None:
        """Use the action's next fault of this site, if there is one left; written down before it happens."""
        for each in self.plans.get(action, ()):
            fits = (each.site, each.label) == (site, label) and each.fault.endswith(side)
            if fits and (action, each.number) not in self._used:
                self._used.add((action, each.number))
                self.journal.write(what="fault", action=action, number=each.number, name=each.name)
                return each.fault
        return None

    def boundary(self, side: str, label: str) -> None:
        """A commit of whatever this task works on: it may be the end of it."""
        if action := current.get():
            _end(self.take(action, Site.COMMIT, label, side), side)

    def look(self, action: str) -> bool:
        """Whether the world can be looked at."""
        return self.take(action, Site.LOOK) is None

    def ask(self, action: str) -> Unknown | None:
        """A question to the provider: None, and it may be answered."""
        fault = self.take(action, Site.FIND)
        _end(fault, "before")
        if fault is Fault.TIMES_OUT:
            raise TimeoutError
        return Unknown("no connection") if fault is Fault.UNREACHABLE else None

    async def door(self, action: str) -> None:
        """What a call waits for before it goes out."""

    def call(self, action: str, act: Callable[[], Performed]) -> Performed:
        """One call; every way in which a provider or our process can fail around the effect."""
        fault = self.take(action, Site.CALL)
        _end(fault, "before")
        match fault:
            case Fault.REFUSED:
                return Refused("refused", "the provider said no")
            case Fault.NO_CONNECTION:
                return Unknown("no connection")
            case Fault.TIMES_OUT:
                raise TimeoutError
            case Fault.IN_FLIGHT:
                self.flying.append(act)
                return Unknown("no answer")
            case _:
                pass
        done = act()
        _end(fault, "after")
        if fault is Fault.SLEEPS:
            self.pass_time(NAP)
        if fault is Fault.BOOKED_TIMES_OUT:
            raise TimeoutError
        return Unknown("the provider answered 500") if fault is Fault.BOOKED_500 else done

    def pass_time(self, by: timedelta) -> None:
        """Let time pass; what is in flight arrives before, for no network holds a packet longer than our margin."""
        while self.flying:
            self.flying.pop()()
        self.clock.move(by)
        self.journal.write(what="time", seconds=by.total_seconds())

    @property
    def faults(self) -> Counter[str]:
        """What was injected, by name."""
        return Counter(line["name"] for line in self.journal.of("fault"))


def _end(fault: Fault | None, side: str) -> None:
    if fault is None or not fault.endswith(side):
        return
    if fault in {Fault.KILL_BEFORE, Fault.KILL_AFTER}:
        os.kill(os.getpid(), signal.SIGKILL)
    if fault in {Fault.ABORT_BEFORE, Fault.ABORT_AFTER}:
        raise CrashError


@dataclass
class Payments(FakePaymentGateway):
    """A payment provider that holds far more of every payment than one refund, so that a second would be booked."""

    outside: Outside = field(kw_only=True)

    def __post_init__(self) -> None:
        for line in self.outside.journal.of("refund"):
            amount = Money(minor=line["minor"], currency=line["currency"])
            order = RefundOrder(line["key"], ActionId(line["action"]), line["payment"], amount)
            self.booked[line["key"]] = order

    async def refund(self, order: RefundOrder) -> Performed:
        await self.outside.door(str(order.action))
        return self.outside.call(str(order.action), lambda: self._book(order))

    async def find(self, payment_ref: str, action: ActionId) -> Found | Refused:
        doubt = self.outside.ask(str(action))
        found = [k for k, o in self.booked.items() if (o.payment_ref, str(o.action)) == (payment_ref, str(action))]
        return doubt or (Receipt(f"refund-{found[0]}") if found else await super().find(payment_ref, action))

    def _book(self, order: RefundOrder) -> Performed:
        new = order.key not in self.booked
        done = super()._book(order)
        if new and isinstance(done, Receipt):
            self.outside.journal.write(
                what="refund", action=str(order.action), key=order.key, payment=order.payment_ref,
                minor=order.amount.minor, currency=order.amount.currency,
            )  # fmt: skip
        return done


@dataclass
class Mail(FakeMailTransport):
    """A mail server that takes letters; who was told to take one may have done it."""

    outside: Outside = field(kw_only=True)

    async def send(self, letter: Letter, *, before_data: Callable[[], Any]) -> Performed:
        told = message_from_bytes(letter.content, policy=policy.SMTP)
        action = str(told["Message-ID"]).strip("<>").partition("@")[0]
        await self.outside.door(action)
        if not await before_data():
            return Unknown("no longer entitled")
        return self.outside.call(action, lambda: self._take(letter, action, str(told["Subject"])))

    def _take(self, letter: Letter, action: str, subject: str) -> Performed:
        body = message_from_bytes(letter.content, policy=policy.SMTP).get_body(("plain",))
        text = "" if body is None else body.get_content()
        self.outside.journal.write(
            what="mail", action=action, to=list(letter.recipients), subject=subject, text=text.strip()
        )
        return Receipt(f"queued-{action}")


@dataclass
class Helpdesk(FakeHelpdeskGateway):
    """A helpdesk with conditional updates; its comments outlive us."""

    outside: Outside = field(kw_only=True)

    def restore(self) -> None:
        """Bring back the comments of an earlier process."""
        for line in self.outside.journal.of("comment"):
            ticket = self.tickets[line["ticket"]]
            ticket.comments.append(Comment(line["ticket"], "", line["html"], public=True, marker=line["marker"]))
            ticket.version += 1

    async def look(self, external_ticket: str) -> HelpdeskTicket | Missing | Unknown:
        if not self.outside.look(current.get()):
            return Unknown("no connection")
        return await super().look(external_ticket)

    async def comment(self, comment: Comment) -> Performed:
        await self.outside.door(comment.marker.partition(".")[0])
        return self.outside.call(comment.marker.partition(".")[0], lambda: self._write(comment))

    async def find(self, external_ticket: str, marker: str) -> Found:
        return self.outside.ask(marker.partition(".")[0]) or await super().find(external_ticket, marker)

    def _write(self, comment: Comment) -> Performed:
        done = super()._write(comment)
        if isinstance(done, Receipt):
            self.outside.journal.write(
                what="comment", action=comment.marker.partition(".")[0], marker=comment.marker,
                ticket=comment.external_ticket, html=comment.html,
            )  # fmt: skip
        return done


@dataclass
class Orders(FakeOrderLookup):
    """An order system that is sometimes away."""

    outside: Outside = field(kw_only=True)

    async def find(self, order_id: str, requester: Requester) -> Ok[OrderFacts] | NotTheirs | UnknownOrder | Failed:
        if not self.outside.look(current.get()):
            return Failed("unavailable", "no connection", retryable=True)
        return await super().find(order_id, requester)
