"""Opening and closing runs: races, redelivery, overtaking – on both databases."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from db.engine import Database
from db.interaction_log import InteractionLog, Stored
from db.repositories.runs import OpenRun
from db.repositories.subjects import IdentifierHash
from db.ticket_store import Begun, TicketStore
from support_agents.domain.errors import SupportError
from support_agents.domain.events import OutboxEvent
from support_agents.domain.ids import RunId, TicketId, new_id
from support_agents.domain.runs import Outcome, RunRecord
from support_agents.domain.ticket import Author, EventKind
from tests.fixtures.inbound import event, message
from tests.fixtures.records import record_of


@pytest.fixture
def store(database: Database) -> TicketStore:
    return TicketStore(database, IdentifierHash(b"key"))


async def claimed(database: Database, lease: float = 30) -> tuple[OutboxEvent, ...]:
    async with database.write("claim") as uow:
        return await uow.outbox.claim(limit=10, lease=timedelta(seconds=lease))


async def begun_run(database: Database, store: TicketStore) -> tuple[Begun, OutboxEvent]:
    await store.receive(event(), b"{}")
    (due,) = await claimed(database, lease=0)
    begun = await store.begin_run(due)
    assert begun is not None
    return begun, due


async def stored(database: Database, record: RunRecord, attempt: int) -> Stored:
    async with database.write("card_ready") as uow:
        return await InteractionLog().store(uow, record, attempt=attempt)


async def needs_person(database: Database, ticket: TicketId) -> str | None:
    async with database.read() as uow:
        found = await uow.tickets.get(ticket)
    assert found is not None
    return found.needs_person_reason


async def test_i9_a_run_sees_its_ticket_and_its_record_comes_back_whole(database: Database, store: TicketStore) -> None:
    begun, _ = await begun_run(database, store)
    assert (begun.attempt, begun.resumed, begun.ticket.revision) == (1, False, 1)
    assert begun.ticket.last_from_customer.text == "Where is my order?"
    record = record_of(begun)

    assert await stored(database, record, 1) is Stored.OK
    async with database.read() as uow:
        assert await uow.runs.load(begun.run_id) == record
        assert await uow.runs.outliers(record.workspace, limit=10) == (record.outlier,)
    assert await claimed(database) == ()


async def test_i9_what_binds_to_a_record_is_the_same_while_it_is_written_and_when_it_is_read(
    database: Database, store: TicketStore
) -> None:
    begun, _ = await begun_run(database, store)
    record = record_of(begun).model_copy(update={"reason": "what no column holds: \x00 and \ud800, Größe"})
    async with database.write("card_ready") as uow:
        assert await InteractionLog().store(uow, record, attempt=1) is Stored.OK
        written = await uow.runs.commitment(begun.run_id)
    async with database.read() as uow:
        assert await uow.runs.commitment(begun.run_id) == written


async def test_a_run_nobody_judged_leaves_nothing_where_the_judgement_would_be(
    database: Database, store: TicketStore
) -> None:
    begun, _ = await begun_run(database, store)
    record = record_of(begun).model_copy(update={"outlier": None})
    assert await stored(database, record, 1) is Stored.OK
    async with database.read() as uow:
        assert (await uow.runs.load(begun.run_id)).outlier is None
        assert await uow.runs.outliers(record.workspace, limit=10) == ()


async def test_a_run_that_has_not_finished_has_no_record(database: Database, store: TicketStore) -> None:
    begun, _ = await begun_run(database, store)
    async with database.read() as uow:
        with pytest.raises(SupportError, match="no finished run"):
            await uow.runs.load(begun.run_id)


async def test_a_redelivery_takes_the_run_over_and_the_paused_worker_loses(
    database: Database, store: TicketStore
) -> None:
    first, due = await begun_run(database, store)
    second = await store.begin_run(due)

    assert second is not None
    assert (second.run_id, second.attempt, second.resumed) == (first.run_id, 2, True)
    assert await stored(database, record_of(first), first.attempt) is Stored.LOST
    assert await stored(database, record_of(second), second.attempt) is Stored.OK
    assert await stored(database, record_of(second), second.attempt) is Stored.LOST


async def test_redeliveries_at_once_leave_one_that_can_finish(database: Database, store: TicketStore) -> None:
    _, due = await begun_run(database, store)
    again = [begun for begun in await asyncio.gather(*(store.begin_run(due) for _ in range(4))) if begun]

    results = [await stored(database, record_of(begun), begun.attempt) for begun in again]
    assert results.count(Stored.OK) == 1
    assert len({begun.attempt for begun in again}) == len(again)


async def test_a_message_during_a_run_overtakes_it(database: Database, store: TicketStore) -> None:
    begun, _ = await begun_run(database, store)
    await store.receive(event("m-1", said=message("Also: an invoice?", minute=1), minute=1), b"{}")
    others = [await store.begin_run(due) for due in await claimed(database) if due.attempts == 1]
    assert others == [None]

    assert await stored(database, record_of(begun), 1) is Stored.OVERTAKEN
    async with database.read() as uow:
        assert (await uow.runs.load(begun.run_id)).outcome is Outcome.OVERTAKEN
    (due,) = await claimed(database)
    newest = await store.begin_run(due)
    assert newest is not None
    assert (newest.ticket.revision, len(newest.ticket.messages)) == (2, 2)


async def test_an_operator_who_replies_first_overtakes_the_run_and_nothing_more_is_due(
    database: Database, store: TicketStore
) -> None:
    begun, _ = await begun_run(database, store)
    await store.receive(event("m-1", said=message("Sent it again.", Author.OPERATOR, minute=1), minute=1), b"{}")

    assert await stored(database, record_of(begun), 1) is Stored.OVERTAKEN
    (due,) = await claimed(database)
    assert await store.begin_run(due) is None
    assert await claimed(database, lease=0) == ()


async def test_a_burst_is_one_run(database: Database, store: TicketStore) -> None:
    for minute in range(3):
        await store.receive(event(f"m-{minute}", said=message(minute=minute), minute=minute), b"{}")
    first, *rest = await claimed(database)
    begun = await store.begin_run(first)
    assert begun is not None
    assert begun.ticket.revision == 3
    assert await stored(database, record_of(begun), 1) is Stored.OK
    assert [await store.begin_run(due) for due in rest] == [None, None]


@pytest.mark.parametrize("kind", [EventKind.TICKET_SOLVED, EventKind.TICKET_CLOSED, EventKind.TICKET_MERGED])
async def test_a_ticket_that_has_ended_gets_no_run(database: Database, store: TicketStore, kind: EventKind) -> None:
    await store.receive(event(), b"{}")
    await store.receive(event("end", kind, minute=1), b"{}")
    (due,) = await claimed(database)
    assert await store.begin_run(due) is None


@pytest.mark.parametrize(
    ("outcome", "waits"),
    [
        (Outcome.HANDED_OFF, "no model is configured"),
        (Outcome.EVIDENCE, "no model is configured"),
        (Outcome.CLARIFY, None),
    ],
)
async def test_a_run_without_a_draft_returns_the_ticket_to_people(
    database: Database, store: TicketStore, outcome: Outcome, waits: str | None
) -> None:
    begun, _ = await begun_run(database, store)
    await stored(database, record_of(begun, outcome), 1)
    assert await needs_person(database, begun.ticket.id) == waits


async def test_giving_up_returns_the_ticket_to_people_and_leaves_no_run_open(
    database: Database, store: TicketStore
) -> None:
    begun, due = await begun_run(database, store)
    await store.give_up(due, error="timeout", reason="it failed five times")

    assert await needs_person(database, begun.ticket.id) == "it failed five times"
    assert await stored(database, record_of(begun), 1) is Stored.LOST
    await store.receive(event("m-1", said=message(minute=1), minute=1), b"{}")
    (following,) = await claimed(database)
    assert await store.begin_run(following) is not None


async def test_the_database_refuses_a_second_open_run(database: Database, store: TicketStore) -> None:
    begun, due = await begun_run(database, store)
    async with database.read() as uow:
        run = await uow.runs.open_of(begun.ticket.id)
    assert run is not None
    twin = replace(run, id=RunId(new_id()), event=due.id)
    at = begun.ticket.received_at
    with pytest.raises(IntegrityError):
        await _begin(database, twin, at)


async def _begin(database: Database, run: OpenRun, at: datetime) -> None:
    async with database.write("begin_run") as uow:
        await uow.runs.begin(run, received_at=at)


@pytest.mark.parametrize("change", ["UPDATE run_sections SET content = '{}'", "DELETE FROM run_sections"])
async def test_the_database_refuses_to_change_a_section(database: Database, store: TicketStore, change: str) -> None:
    begun, _ = await begun_run(database, store)
    await stored(database, record_of(begun), 1)
    with pytest.raises(IntegrityError, match="insert-only"):
        async with database.write("tamper") as uow:
            await uow.session.execute(text(change))
