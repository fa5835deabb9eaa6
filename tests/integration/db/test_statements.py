"""What is known already is not asked again, and what belongs together is sent together."""

from typing import Any

import pytest
from sqlalchemy import Executable, insert
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from db.base import table_of
from db.engine import Database
from db.made import made
from db.models.workspaces import WorkspaceRow
from db.repositories.subjects import IdentifierHash
from db.ticket_store import TicketStore
from support_agents.domain.ids import DEFAULT_WORKSPACE, new_id
from tests.fixtures import inbound
from tests.fixtures.statements import statements

AGAIN = made(insert(table_of(WorkspaceRow)))


async def test_a_statement_that_was_made_once_is_refused_as_any_other(database: Database) -> None:
    with pytest.raises(IntegrityError) as caught:
        async with database.write("twice") as uow:
            await uow.session.execute(AGAIN, {"id": DEFAULT_WORKSPACE, "name": "a person's"})
    assert "INSERT INTO workspaces" in str(caught.value)
    assert "a person's" not in str(caught.value)


async def test_the_way_of_a_message_passes_sqlalchemy_by(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    store, executed = TicketStore(database, IdentifierHash(b"key")), list[str]()
    await store.receive(inbound.event("m-1"), b"{}")

    def noted(connection: Connection, statement: Executable, *given: Any) -> Any:
        executed.append(str(statement))
        return usual(connection, statement, *given)

    usual = Connection.execute
    monkeypatch.setattr(Connection, "execute", noted)
    await store.receive(inbound.event("m-2", ticket=inbound.facts("T-2")), b"{}")
    assert executed == []


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
