"""What inbound events do to tickets, on both databases."""

import asyncio
from datetime import timedelta

import pytest

from db.engine import Database
from db.repositories.subjects import IdentifierHash
from db.repositories.tickets import Ticket, TicketStatus
from db.ticket_store import TicketStore
from support_agents.domain.events import EventName, OutboxEvent
from support_agents.domain.ids import DEFAULT_WORKSPACE, TicketId
from support_agents.domain.ticket import Author, EventKind, InboundMessage, Requester
from tests.fixtures.inbound import ANNA, START, event, facts, message

BEN = Requester(email="ben@example.com", name="Ben", verified=True)


@pytest.fixture
def store(database: Database) -> TicketStore:
    return TicketStore(database, IdentifierHash(b"key"))


async def ticket_of(database: Database, ticket: TicketId) -> Ticket:
    async with database.read() as uow:
        found = await uow.tickets.get(ticket)
    assert found is not None
    return found


async def claimed(database: Database, limit: int = 10) -> tuple[OutboxEvent, ...]:
    async with database.write("claim") as uow:
        return await uow.outbox.claim(limit=limit, lease=timedelta(seconds=30))


async def test_first_message_makes_a_ticket_and_starts_a_run(database: Database, store: TicketStore) -> None:
    received = await store.receive(event(), b"{}")

    assert (received.duplicate, received.starts_run) == (False, True)
    ticket = await ticket_of(database, received.ticket_id)
    assert (ticket.revision, ticket.requester, ticket.status) == (1, ANNA, TicketStatus.OPEN)
    (due,) = await claimed(database)
    assert (due.name, due.subject, due.attempts) == (EventName.TICKET_RECEIVED, ticket.id, 1)


async def test_a_duplicate_names_the_same_ticket_and_writes_nothing(database: Database, store: TicketStore) -> None:
    first = await store.receive(event(), b"{}")
    again = await store.receive(event(minute=3), b"other bytes")

    assert (again.ticket_id, again.duplicate, again.starts_run) == (first.ticket_id, True, False)
    assert (await ticket_of(database, first.ticket_id)).revision == 1
    assert len(await claimed(database)) == 1


async def test_duplicates_at_once_are_one(database: Database, store: TicketStore) -> None:
    results = await asyncio.gather(*(store.receive(event(), b"{}") for _ in range(8)))

    assert sorted(result.duplicate for result in results) == [False] + [True] * 7
    assert len({result.ticket_id for result in results}) == 1
    assert len(await claimed(database)) == 1


async def test_first_messages_at_once_make_one_ticket(database: Database, store: TicketStore) -> None:
    events = [event(f"m-{n}", said=message(minute=n), minute=n) for n in range(8)]
    results = await asyncio.gather(*(store.receive(each, b"{}") for each in events))

    assert len({result.ticket_id for result in results}) == 1
    assert (await ticket_of(database, results[0].ticket_id)).revision == 8


async def test_an_event_the_sender_has_outdated_changes_nothing(database: Database, store: TicketStore) -> None:
    received = await store.receive(event("a", ticket=facts(revision=5)), b"{}")
    older = await store.receive(event("b", ticket=facts(revision=4), said=message("older", minute=1)), b"{}")

    assert (older.duplicate, older.starts_run) == (False, False)
    assert (await ticket_of(database, received.ticket_id)).revision == 1
    async with database.read() as uow:
        snapshot = await uow.tickets.snapshot(await ticket_of(database, received.ticket_id))
    assert len(snapshot.messages) == 2


async def test_a_public_operator_reply_raises_the_revision_and_starts_nothing(
    database: Database, store: TicketStore
) -> None:
    received = await store.receive(event(), b"{}")
    reply = await store.receive(event("m-1", said=message("Done.", Author.OPERATOR, minute=1)), b"{}")

    assert not reply.starts_run
    ticket = await ticket_of(database, received.ticket_id)
    assert (ticket.revision, ticket.operator_revision, ticket.awaits_answer) == (2, 2, False)


@pytest.mark.parametrize(
    "quiet",
    [
        event("q", said=message("note", Author.OPERATOR).model_copy(update={"public": False})),
        event("q", said=message("note", Author.CUSTOMER).model_copy(update={"public": False})),
        event("q", said=message("I am away", minute=1)).model_copy(update={"automatic": True}),
        event("q", said=message("Ticket was assigned", Author.SYSTEM)),
    ],
    ids=["private note", "private customer note", "auto-reply", "system"],
)
async def test_what_is_stored_but_raises_nothing(database: Database, store: TicketStore, quiet: InboundMessage) -> None:
    received = await store.receive(event(), b"{}")
    before = await ticket_of(database, received.ticket_id)
    result = await store.receive(quiet, b"{}")

    assert (result.duplicate, result.starts_run) == (False, False)
    assert await ticket_of(database, received.ticket_id) == before


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (EventKind.TICKET_SOLVED, TicketStatus.SOLVED),
        (EventKind.TICKET_CLOSED, TicketStatus.CLOSED),
        (EventKind.TICKET_MERGED, TicketStatus.MERGED),
    ],
)
async def test_the_end_of_a_ticket_raises_its_revision(
    database: Database, store: TicketStore, kind: EventKind, status: TicketStatus
) -> None:
    received = await store.receive(event(), b"{}")
    ended = await store.receive(event("end", kind, minute=1), b"{}")

    assert not ended.starts_run
    ticket = await ticket_of(database, received.ticket_id)
    assert (ticket.revision, ticket.status) == (2, status)
    reopened = await store.receive(event("m-2", said=message("One more thing", minute=2), minute=2), b"{}")
    assert reopened.starts_run
    assert (await ticket_of(database, received.ticket_id)).status is TicketStatus.OPEN


async def test_a_new_requester_is_answered_anew(database: Database, store: TicketStore) -> None:
    received = await store.receive(event(), b"{}")
    before = await ticket_of(database, received.ticket_id)
    changed = await store.receive(event("r", EventKind.REQUESTER_CHANGED, ticket=facts(requester=BEN), minute=1), b"{}")

    ticket = await ticket_of(database, received.ticket_id)
    assert (ticket.requester, ticket.revision, changed.starts_run) == (BEN, 2, True)
    assert ticket.subject_id != before.subject_id


async def test_the_same_person_is_one_subject(database: Database, store: TicketStore) -> None:
    shouting = ANNA.model_copy(update={"email": "ANNA@example.com "})
    one = await store.receive(event("a", ticket=facts("T-1")), b"{}")
    two = await store.receive(event("b", ticket=facts("T-2", requester=shouting)), b"{}")

    first, second = await ticket_of(database, one.ticket_id), await ticket_of(database, two.ticket_id)
    assert first.subject_id == second.subject_id


async def test_text_no_column_can_hold_is_stored_all_the_same(database: Database, store: TicketStore) -> None:
    received = await store.receive(event("k\0ey", said=message("nul \0 and \ud800 alone")), b"\xff\0")
    again = await store.receive(event("k\0ey"), b"")

    assert again.duplicate
    ticket = await ticket_of(database, received.ticket_id)
    async with database.read() as uow:
        snapshot = await uow.tickets.snapshot(ticket)
    assert snapshot.messages[0].text == "nul \ufffd and ? alone"


async def test_what_cannot_be_understood_is_buried_once(database: Database, store: TicketStore) -> None:
    first, again = [
        await store.bury(
            workspace=DEFAULT_WORKSPACE, source="standard", raw=b"\xff{", reason="not_json", received_at=START
        )
        for _ in range(2)
    ]

    assert first == again
    async with database.read() as uow:
        (buried,) = await uow.inbox.buried(DEFAULT_WORKSPACE)
    assert (buried.raw, buried.reason) == (b"\xff{", "not_json")
