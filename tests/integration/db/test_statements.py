"""What is known already is not asked again, and what belongs together is sent together."""

from db.engine import Database
from db.repositories.subjects import IdentifierHash
from db.ticket_store import TicketStore
from support_agents.domain.ids import DEFAULT_WORKSPACE, new_id
from tests.fixtures import inbound
from tests.fixtures.statements import statements


async def test_what_a_unit_puts_on_record_is_inserted_by_one_statement(database: Database) -> None:
    subject = new_id()
    with statements() as executed:
        async with database.write("two") as uow:
            for event in ("first", "second"):
                await uow.audit.append(workspace=DEFAULT_WORKSPACE, event=event, subject=subject, actor="test")
    assert sum("INTO audit" in text for text in executed) == 1
    async with database.write("read back") as uow:
        await uow.audit.append(workspace=DEFAULT_WORKSPACE, event="third", subject=subject, actor="test")
        assert [entry.event for entry in await uow.audit.of(subject)] == ["first", "second", "third"]


async def test_a_locked_ticket_is_known_as_it_was_last_written(database: Database) -> None:
    received = await TicketStore(database, IdentifierHash(b"key")).receive(inbound.event("m-1"), b"{}")
    async with database.write("answer") as uow:
        before = await uow.tickets.lock(received.ticket_id)
        assert before is not None
        await uow.tickets.answered(before.id, revision=before.revision, needs_person="look")
        with statements() as executed:
            known = await uow.tickets.lock(before.id)
        assert executed == []
        assert known == await uow.tickets.get(before.id)
        assert known is not None
        assert (known.answered_revision, known.needs_person_reason) == (before.revision, "look")
