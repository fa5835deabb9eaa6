"""What the state machine acts upon: a customer's tickets and order, people, and an outside that fails when told to."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any, TypeVar

from sqlalchemy import Engine, func, select

from api.worker.handlers import ExecutionDueHandler, RequestChangedHandler
from approvals.consequences import UndoWindows
from approvals.ports import Person
from approvals.testing import FakeTicket
from db.engine import Database
from db.repositories.operators import NewSession
from db.ticket_store import Begun
from support_agents.domain.action import ProposedAction
from support_agents.domain.approval import ExecutionStatus, Mode, Role
from support_agents.domain.errors import SupportError
from support_agents.domain.events import EventName, OutboxEvent
from support_agents.domain.ids import DEFAULT_WORKSPACE, ExecutionId, TicketId
from support_agents.domain.money import Money
from support_agents.domain.orders import OrderFacts
from support_agents.domain.ticket import Author, Channel, InboundMessage, Requester
from tests.fixtures.approvals import ORDER, REPLY, Shop, refund, set_column
from tests.fixtures.inbound import event, facts, message
from tests.soak.accounts import TABLES, Books, Row, reader
from tests.soak.clock import MovableClock, make_movable
from tests.soak.faults import Fault, Planned, Site
from tests.soak.outside import CrashError, Helpdesk, Journal, Mail, Orders, Outside, Payments

T = TypeVar("T")
NUMBERS = count(1)
TICKETS = 3
MOST_ATTEMPTS = 5
LEASE = timedelta(seconds=15)
# What a person may be told instead of "done". Anything else is a defect of the product.
REFUSALS = {
    "already_decided", "stale", "superseded", "not_allowed", "digest_mismatch", "expired", "too_late", "not_editable",
    "conflict",
}  # fmt: skip


@dataclass
class Home:
    """A database with a movable clock and a loop, shared by all examples of one test."""

    url: str
    runner: asyncio.Runner
    clock: MovableClock
    reader: Engine
    steps: int = 0

    @classmethod
    def at(cls, url: str, runner: asyncio.Runner) -> "Home":
        """Prepare a migrated database that nobody is connected to."""
        make_movable(url)
        return cls(url, runner, MovableClock(url), reader(url))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end."""
        return self.runner.run(work)


@dataclass
class Armed(Outside):
    """An outside whose next fault is armed by hand, and at whose door a call can be held up."""

    armed: list[Planned] = field(default_factory=list)
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, action: str, site: Site, label: str = "", side: str = "") -> Fault | None:
        for each in self.armed:
            if (each.site, each.label) == (site, label) and each.fault.endswith(side):
                self.armed.remove(each)
                self.journal.write(what="fault", action=action, name=each.name)
                return each.fault
        return None

    def boundary(self, side: str, label: str) -> None:
        if self.take("", Site.COMMIT, label, side) is not None:
            raise CrashError

    async def door(self, action: str) -> None:
        if action in self.held:
            self.reached.set()
            await self.held[action].wait()


def _waits(ticket: Row) -> bool:
    answered = max(ticket["operator_revision"], ticket["answered_revision"])
    return bool(ticket["status"] == "open" and ticket["customer_revision"] > answered)


class Stage:
    """Everything that a rule needs; `home` is set by whoever runs the machine."""

    home: Home

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end on the home's loop."""
        return self.home.run(work)

    def furnish(self, *, mail: bool) -> None:
        """Begin an example with people, an order and a payment of its own."""
        self.number, self.mail = next(NUMBERS), mail
        self.minutes = count(1)
        self.outside = Armed(Journal(None), self.home.clock)
        self.database = self.home.clock.install(Database.open(self.home.url, boundary=self.outside.boundary))
        self.tickets: set[TicketId] = set()
        self.begun: list[Begun] = []
        self.sent: dict[str, InboundMessage] = {}
        self.asleep: dict[ExecutionId, asyncio.Task[object]] = {}
        self.paid = Money(minor=15_000, currency="EUR")
        self.version, self.refunded = 1, 0
        helpdesk = Helpdesk(outside=self.outside)
        self.shop = Shop(
            self.database, windows=UndoWindows(), orders=Orders(outside=self.outside),
            payments=Payments(outside=self.outside), mail=Mail(outside=self.outside), helpdesk=helpdesk,
        )  # fmt: skip
        self.tell_order()
        self.shop.payments.payments[self.order.payment_ref] = Money(minor=10_000_000, currency="EUR")
        for which in range(TICKETS):
            helpdesk.tickets[f"{self.number}-{which}"] = FakeTicket(self.customer.email)
        self.run(self._people())

    async def _people(self) -> None:
        await self.shop.mode(Mode.REPLY)
        await self.switch(paused=False)
        roles = (Role.APPROVER, Role.APPROVER, Role.MANAGER, Role.ADMIN)
        own = self.customer.email.replace("@", "+work@")
        self.people = [
            await self._lasting(await self.shop.person(f"p{at}-{self.number}", role, email=own if at == 3 else ""))
            for at, role in enumerate(roles)
        ]

    async def sign_in_again(self, person: Person) -> Person:
        """End the person's session and open another; returns who they are now."""
        async with self.database.write("session") as uow:
            await uow.operators.end_session(person.session_id)
            until = await uow.now() + timedelta(hours=1)
            new = NewSession(
                operator=person.operator_id, origin="password", token_hash=f"{self.number}-{next(self.minutes)}",
                csrf_secret="c", idle_until=until, expires_at=until,
            )  # fmt: skip
            session = await uow.operators.open_session(new)
        return await self._lasting(Person(person.operator_id, session, person.workspace, person.role, person.email))

    async def _lasting(self, person: Person) -> Person:
        async with self.database.write("session") as uow:
            for column in ("expires_at", "idle_until"):
                await set_column(uow, "sessions", column, await uow.now() + timedelta(days=900), person.session_id)
        return person

    async def switch(self, *, paused: bool) -> None:
        """Stop all dispatch, or let it go on."""
        async with self.database.write("switch") as uow:
            await (uow.workspaces.pause if paused else uow.workspaces.unpause)(DEFAULT_WORKSPACE)

    # -- customers and orders ----------------------------------------------------------------------------

    @property
    def customer(self) -> Requester:
        """Whose tickets, order and payment these are."""
        return Requester(email=f"m{self.number}@example.com", name="M", verified=True)

    @property
    def order(self) -> OrderFacts:
        """The order as it is now."""
        told = {
            "order_id": f"M-{self.number}", "payment_ref": f"pay-m{self.number}", "total": self.paid,
            "refunded": Money(minor=self.refunded, currency="EUR"), "version": f"v{self.version}",
        }  # fmt: skip
        return ORDER.model_copy(update=told)

    def tell_order(self) -> None:
        """Have the order system say what the order is now."""
        self.shop.orders.orders = {self.customer.email: (self.order,)}

    def inbound(self, which: int, author: Author, *, other: bool = False) -> InboundMessage:
        """A new event of one of the tickets; `other` names another requester."""
        minute = next(self.minutes)
        who = Requester(email=f"o{self.number}@example.com", name="O", verified=True) if other else self.customer
        channel = Channel.EMAIL if self.mail else Channel.WEB
        ticket = facts(f"{self.number}-{which}", who).model_copy(update={"channel": channel})
        made = event(f"{self.number}-{minute}", ticket=ticket, said=message(f"Text {minute}", author, minute=minute))
        return made.model_copy(update={"source": "standard" if self.mail else "zendesk"})

    def deliver(self, inbound: InboundMessage) -> None:
        """Deliver a webhook until it is acknowledged, as senders do."""
        while True:
            with suppress(CrashError):
                self.tickets.add(self.run(self.shop.store.receive(inbound, b"{}")).ticket_id)
                self.sent[inbound.event_key] = inbound
                return

    # -- workers -----------------------------------------------------------------------------------------

    def allowed(self, work: Coroutine[Any, Any, object]) -> None:
        """Do what a person asks for; being refused in so many words is fine."""
        try:
            self.survived(work)
        except SupportError as error:
            if error.code not in REFUSALS:
                raise

    def survived(self, work: Coroutine[Any, Any, object]) -> None:
        """Do what may crash; what failed for now is tried again by the product itself."""
        try:
            self.run(work)
        except CrashError:
            pass
        except SupportError as error:
            if not error.retryable:
                raise

    async def claim(self, most: int) -> tuple[OutboxEvent, ...]:
        """Claim as the relay does: nothing while the clock is behind what was already seen of it."""
        async with self.database.write("claim") as uow:
            if await uow.outbox.clock_went_back():
                return ()
            return await uow.outbox.claim(limit=most, lease=LEASE)

    async def steady(self) -> bool:
        """Whether the clock is to be trusted."""
        async with self.database.read() as uow:
            return not await uow.outbox.clock_went_back()

    async def handle(self, due: OutboxEvent) -> None:
        """Do what an event calls for; a run is begun only."""
        match due.name:
            case EventName.EXECUTION_DUE:
                execution = ExecutionId(due.subject)
                if execution in self.asleep:  # no network holds a packet longer than our margin
                    await self.wake(execution)
                handler = ExecutionDueHandler(self.database, self.shop.executions)
                await (handler.give_up(due, "x") if due.attempts > MOST_ATTEMPTS else handler.handle(due))
            case EventName.TICKET_RECEIVED:
                if due.attempts > MOST_ATTEMPTS:
                    await self.shop.store.give_up(due, error="x", reason="the software failed several times")
                    return
                begun = await self.shop.store.begin_run(due)
                if begun is not None:
                    self.begun.append(begun)
            case _:
                await RequestChangedHandler(self.database, None).handle(due)

    async def finish(self, begun: Begun, minor: int, *, states: bool) -> None:
        """End a run with a reply, and a refund if the order is the requester's."""
        theirs = begun.ticket.requester.email == self.customer.email
        reply = REPLY.model_copy(
            update={"to": begun.ticket.requester.email, "text": f"Run {begun.run_id} answers.", "after": None}
        )
        actions: tuple[ProposedAction, ...] = (reply,)
        if minor and theirs:
            first = refund(self.order, minor=minor)
            actions = (first, reply.model_copy(update={"after": "refund"}) if states else reply)
        await self.shop.finish(begun, *actions, order=self.order)

    async def sleep(self, execution: ExecutionId) -> None:
        """Have a worker carry it out and stop at the provider's door."""
        action = str((await self.shop.execution(execution)).action_id)
        self.outside.held[action], self.outside.reached = asyncio.Event(), asyncio.Event()
        worker: asyncio.Task[object] = asyncio.create_task(self.shop.executions.carry_out(execution))
        reached = asyncio.create_task(self.outside.reached.wait())
        await asyncio.wait({worker, reached}, return_when=asyncio.FIRST_COMPLETED)
        reached.cancel()
        self.asleep[execution] = worker
        if worker.done():
            await self.wake(execution)

    async def wake(self, execution: ExecutionId) -> None:
        """Let a sleeping worker go on."""
        action = str((await self.shop.execution(execution)).action_id)
        self.outside.held.pop(action).set()
        (ended,) = await asyncio.gather(self.asleep.pop(execution), return_exceptions=True)
        fine = isinstance(ended, CrashError) or (isinstance(ended, SupportError) and ended.retryable)
        if isinstance(ended, BaseException) and not fine:
            raise ended

    def duties(self) -> None:
        """What the schedule does, if the clock can be trusted."""
        if self.run(self.steady()):
            for duty in (self._reconcile, self.shop.queue.expire_due, self.shop.queue.sweep_superseded):
                self.survived(duty())

    async def _reconcile(self) -> None:
        for execution in await self.shop.executions.due_for_reconcile(20):
            await self.shop.executions.reconcile(execution)

    # -- what there is -----------------------------------------------------------------------------------

    def books(self) -> Books:
        """The books of this example's tickets."""
        return Books.read(self.home.reader, self.outside.journal.lines, tickets=tuple(self.tickets))

    def requests(self) -> list[Row]:
        """Requests in the order in which they were made."""
        return sorted(self.books().requests.values(), key=lambda row: str(row["id"]))

    def executions(self, status: ExecutionStatus) -> list[Row]:
        """Executions that nobody sleeps on, in the order in which they were made."""
        rows = [row for row in self.books().executions.values() if row["status"] == status]
        return sorted((row for row in rows if row["id"] not in self.asleep), key=lambda row: str(row["id"]))

    def inbox(self) -> tuple[int, int, list[TicketId]]:
        """Events and messages stored, and tickets whose customer waits although nobody is called to answer."""
        inbox, messages, outbox = (TABLES[name].c for name in ("inbox", "messages", "outbox"))
        called = outbox.done_at.is_(None) & outbox.buried_at.is_(None)
        mine = (outbox.subject.in_(self.tickets)) & (outbox.name == EventName.TICKET_RECEIVED)
        with self.home.reader.connect() as connection:
            keys = connection.execute(
                select(func.count(inbox.id)).where(inbox.event_key.in_(list(self.sent)))
            ).scalar_one()
            said = connection.execute(
                select(func.count(messages.id)).where(messages.ticket_id.in_(self.tickets))
            ).scalar_one()
            calls = set(connection.execute(select(outbox.subject).where(called & mine)).scalars())
            rows = connection.execute(
                select(TABLES["tickets"]).where(TABLES["tickets"].c.id.in_(self.tickets))
            ).mappings()
            waiting = [row["id"] for row in rows if _waits(dict(row)) and row["id"] not in calls]
        return keys, said, waiting

    def until_rest(self) -> None:
        """Let everybody wake, finish and look again until nothing moves."""
        self.outside.armed.clear()
        self.run(self.switch(paused=False))
        for _ in range(400):
            for execution in sorted(self.asleep):
                self.run(self.wake(execution))
            while self.begun:
                self.run(self.finish(self.begun.pop(0), 0, states=False))
            events = self.run(self.claim(20))
            for due in events:
                self.run(self.handle(due))
            self.duties()
            if not events and not self.begun and self.run(self._rests()):
                return
            self.outside.pass_time(timedelta(seconds=61 if events else 900))
        raise AssertionError("it never comes to rest")

    async def _rests(self) -> bool:
        rows = self.books().executions.values()
        moving = [row for row in rows if row["status"] in {"scheduled", "executing"} or row["next_check_at"]]
        async with self.database.read() as uow:
            return not moving and await uow.outbox.next_due() is None
