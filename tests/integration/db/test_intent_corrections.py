"""What people say messages were about – on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from db.base import table_of
from db.engine import Database
from db.interaction_log import InteractionLog
from db.models.tickets import TicketRow
from db.repositories.subjects import IdentifierHash
from db.ticket_store import Begun, TicketStore
from support_agents.domain.approval import Role
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, OperatorId, RunId, WorkspaceId, new_id
from support_agents.domain.intent import Correction
from tests.fixtures.inbound import event
from tests.fixtures.records import record_of

TICKETS = table_of(TicketRow)


def correction(intent: str) -> Correction:
    return Correction(text="where is it", language="en", guessed="thanks", intent=intent, model_version="m")


async def finished(database: Database, external: str) -> Begun:
    store = TicketStore(database, IdentifierHash(b"key"))
    await store.receive(event(external), b"{}")
    async with database.write("claim") as uow:
        (due,) = await uow.outbox.claim(limit=1, lease=timedelta(seconds=30))
    begun = await store.begin_run(due)
    assert begun is not None
    async with database.write("card_ready") as uow:
        await InteractionLog().store(uow, record_of(begun), attempt=begun.attempt)
    return begun


async def somebody(database: Database) -> OperatorId:
    async with database.write("operator") as uow:
        return await uow.operators.add(
            DEFAULT_WORKSPACE, email="ann@support.example", name="Ann", role=Role.APPROVER, password_hash=None
        )


async def all_of(database: Database, limit: int) -> list[str]:
    found: list[str] = []
    after = None
    async with database.read() as uow:
        while page := await uow.intent_corrections.page(DEFAULT_WORKSPACE, after=after, limit=limit):
            assert len(page) <= limit
            found += [one.intent for _, one in page]
            after = page[-1][0]
    return found


async def test_the_newest_answer_counts_and_pages_meet(database: Database) -> None:
    ann = await somebody(database)
    runs = [(await finished(database, f"m{number}")).run_id for number in range(3)]
    async with database.write("correct") as uow:
        for run, intent in (*zip(runs, ("a", "b", "c"), strict=True), (runs[0], "d")):
            await uow.intent_corrections.keep(DEFAULT_WORKSPACE, run, ann, correction(intent))
    assert await all_of(database, 2) == ["d", "b", "c"]
    async with database.read() as uow:
        assert await uow.intent_corrections.intents(DEFAULT_WORKSPACE, runs[:1]) == {runs[0]: "d"}
        assert await uow.intent_corrections.intents(WorkspaceId(new_id()), runs) == {}
        assert await uow.intent_corrections.page(WorkspaceId(new_id()), after=None, limit=9) == ()


async def test_the_same_answer_by_the_same_person_is_kept_once(database: Database) -> None:
    ann, run = await somebody(database), (await finished(database, "m1")).run_id
    kept = []
    for intent in ("a", "a", "b", "b"):
        async with database.write("correct") as uow:
            kept.append(await uow.intent_corrections.keep(DEFAULT_WORKSPACE, run, ann, correction(intent)))
    assert kept == [True, False, True, False]
    assert await all_of(database, 2) == ["b"]


async def test_another_workspace_or_no_run_is_not_found(database: Database) -> None:
    ann, run = await somebody(database), (await finished(database, "m1")).run_id
    for workspace, about in ((WorkspaceId(new_id()), run), (DEFAULT_WORKSPACE, RunId(new_id()))):
        with pytest.raises(SupportError) as caught:
            async with database.write("correct") as uow:
                await uow.intent_corrections.keep(workspace, about, ann, correction("a"))
        assert caught.value.code == "not_found"
    assert await all_of(database, 2) == []


async def test_what_was_learnt_goes_with_its_subject(database: Database) -> None:
    ann, begun = await somebody(database), await finished(database, "m1")
    async with database.write("correct") as uow:
        await uow.intent_corrections.keep(DEFAULT_WORKSPACE, begun.run_id, ann, correction("a"))
        subject = (
            await uow.session.execute(select(TICKETS.c.subject_id).where(TICKETS.c.id == begun.ticket.id))
        ).scalar_one()
        assert await uow.intent_corrections.forget(DEFAULT_WORKSPACE, new_id()) == 0
        assert await uow.intent_corrections.forget(WorkspaceId(new_id()), subject) == 0
        assert await uow.intent_corrections.forget(DEFAULT_WORKSPACE, subject) == 1
    assert await all_of(database, 2) == []
