"""The shop of the soak: a database in which everything waits for people, and the people; it injects no fault."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from approvals.consequences import UndoWindows
from approvals.ports import Person
from approvals.testing import FakeTicket
from db.engine import Database
from db.upgrade import upgrade
from support_agents.domain.approval import Mode, Role
from support_agents.domain.ids import DEFAULT_WORKSPACE, OperatorId, SessionId, TicketId
from support_agents.domain.money import Money
from support_agents.domain.orders import OrderFacts
from support_agents.domain.ticket import Channel, Requester
from tests.fixtures.approvals import ORDER, REPLY, Shop, refund, set_column
from tests.fixtures.inbound import event, facts, message
from tests.soak.clock import MovableClock, make_movable
from tests.soak.outside import Helpdesk, Journal, Mail, Orders, Outside, Payments

TICKETS = 200
PER_APPROVER = 25
REFUND = 1_000
BIG = 20_000  # cents that need two people, one of them a manager
SESSION = timedelta(days=30)


@dataclass(frozen=True)
class People:
    """Approvers by number, a manager, and one who may only look."""

    approvers: tuple[Person, ...]
    manager: Person
    viewer: Person

    def approver(self, number: int) -> Person:
        """Who decides on a ticket, so that nobody passes a day's limit."""
        return self.approvers[number // PER_APPROVER % len(self.approvers)]


def customer(number: int) -> Requester:
    """The customer of a ticket; every one has an order and a payment of their own."""
    return Requester(email=f"c{number}@example.com", name=f"C {number}", verified=True)


def amount(number: int) -> int:
    """What is asked back, in cents; now and then enough for two people."""
    return BIG if number % PER_APPROVER == 0 else REFUND


def order_of(number: int) -> OrderFacts:
    """An order, paid with a good deal more than is asked back, so that nothing but ourselves prevents a second."""
    total = Money(minor=10 * amount(number), currency="EUR")
    return ORDER.model_copy(update={"order_id": f"A-{number}", "payment_ref": f"pay-{number}", "total": total})


def is_mail(number: int) -> bool:
    """Half of the replies leave as e-mail, half as comments."""
    return number % 2 == 0


def shop_of(database: Database, outside: Outside) -> Shop:
    """The product's own code between a database and this outside, in full possession of its effects so far."""
    helpdesk = Helpdesk(outside=outside)
    shop = Shop(
        database,
        windows=UndoWindows(),
        orders=Orders({customer(n).email: (order_of(n),) for n in range(TICKETS)}, outside=outside),
        payments=Payments(outside=outside),
        mail=Mail(outside=outside),
        helpdesk=helpdesk,
    )
    for number in range(TICKETS):
        shop.payments.payments[f"pay-{number}"] = Money(minor=10_000_000, currency="EUR")
        helpdesk.tickets[f"{number}"] = FakeTicket(customer(number).email)
    helpdesk.restore()
    return shop


async def furnish(url: str, people: Path) -> None:
    """Make the database, through the product's own code, and note the people in a file."""
    upgrade(url)
    make_movable(url)
    clock = MovableClock(url)
    journal = Journal(people)
    database = clock.install(Database.open(url))
    shop = shop_of(database, Outside(journal, clock))
    await shop.mode(Mode.REPLY)
    for number in range(TICKETS):
        await _ask(shop, number)
    for number in range(-(-TICKETS // PER_APPROVER)):
        await _hire(shop, journal, f"ben{number}", Role.APPROVER)
    await _hire(shop, journal, "mia", Role.MANAGER)
    await _hire(shop, journal, "vic", Role.VIEWER)
    await database.close()
    journal.close()


async def arrive(shop: Shop, number: int, minute: int = 0) -> TicketId:
    """A message of a customer."""
    channel = Channel.EMAIL if is_mail(number) else Channel.WEB
    ticket = facts(f"{number}", customer(number)).model_copy(update={"channel": channel})
    inbound = event(f"m-{number}-{minute}", ticket=ticket, said=message(minute=minute), minute=minute)
    source = "standard" if is_mail(number) else "zendesk"
    return (await shop.store.receive(inbound.model_copy(update={"source": source}), b"{}")).ticket_id


async def _ask(shop: Shop, number: int) -> None:
    begun, _ = await shop.begin(await arrive(shop, number))
    told = {"to": customer(number).email, "text": f"We have sent {amount(number)} cents back.", "after": "refund"}
    asked = refund(order_of(number), minor=amount(number))
    await shop.finish(begun, asked, REPLY.model_copy(update=told), order=order_of(number))


async def _hire(shop: Shop, journal: Journal, name: str, role: Role) -> None:
    person = await shop.person(name, role)
    async with shop.database.write("session") as uow:
        for column in ("expires_at", "idle_until"):
            await set_column(uow, "sessions", column, await uow.now() + SESSION, person.session_id)
    journal.write(
        what="person", operator=str(person.operator_id), session=str(person.session_id), role=role, email=person.email
    )


def people_in(file: Path) -> People:
    """The people of a furnished database."""
    journal = Journal(file)
    people = [_person(line) for line in journal.of("person")]
    journal.close()
    return People(tuple(people[:-2]), people[-2], people[-1])


def _person(line: dict[str, str]) -> Person:
    operator, session = OperatorId(UUID(line["operator"])), SessionId(UUID(line["session"]))
    return Person(operator, session, DEFAULT_WORKSPACE, Role(line["role"]), line["email"])
