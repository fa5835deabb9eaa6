"""The event that calls for a fuller draft: when it is answered, put off or left, and never twice."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from api.pressure import Pressure
from api.worker.fuller_drafts import AT_ONCE, FullerDraftDueHandler
from db.interaction_log import InteractionLog
from db.repositories.outbox import ROWS
from support_agents.domain.budget import Budget
from support_agents.domain.errors import SupportError
from support_agents.domain.events import OutboxEvent
from support_agents.domain.ids import RequestId
from support_agents.domain.runs import OUT_OF_TIME, RunRecord
from tests.fixtures.console import Desk
from tests.fixtures.fuller import child_of, due, kept, parent_of
from tests.fixtures.installation import Installation
from tests.fixtures.interrupted import Interrupted


def handler(installation: Installation) -> FullerDraftDueHandler:
    container = installation.container
    return FullerDraftDueHandler(
        database=container.database,
        runner=container.runner.unhurried(20.0),
        log=InteractionLog(),
        clock=container.clock,
        budget=Budget(),
        seconds=20.0,
        pressure=container.admission.pressure,
    )


async def called_for(installation: Installation) -> tuple[RequestId, OutboxEvent]:
    """A reply that the deadline cut, and the event that calls for a whole one."""
    request = await Desk(installation).reply(cut=OUT_OF_TIME)
    database = installation.container.database
    return request, await due(database, await parent_of(database, request))


async def child(installation: Installation, request: RequestId) -> RunRecord | None:
    database = installation.container.database
    parent = await parent_of(database, request)
    async with database.read() as uow:
        return await uow.runs.child_of(parent.run_id)


async def waits(installation: Installation, event: OutboxEvent) -> bool:
    async with installation.container.database.read() as uow:
        return await uow.outbox.is_waiting(event.id)


async def test_an_event_is_answered_by_one_run_with_sections_and_a_verdict_of_its_own(
    installation: Installation,
) -> None:
    request, event = await called_for(installation)
    began = datetime.now(UTC)
    working = handler(installation)
    await working.handle(event)
    made = await child(installation, request)
    assert made is not None
    assert made.received_at >= began, "its time is its own"
    assert made.sections.screening is not None
    assert made.sections.plan is not None
    assert not await waits(installation, event)
    await working.handle(event)  # delivered once more
    await working.handle(
        await due(installation.container.database, await parent_of(installation.container.database, request))
    )
    assert await child(installation, request) == made
    assert (await installation.counts())["runs"] == 2
    assert (await installation.counts())["approval_requests"] == 1, "it proposes nothing by itself"


async def test_a_child_run_calls_for_no_child(installation: Installation) -> None:
    request, event = await called_for(installation)
    database = installation.container.database
    whole = child_of(await parent_of(database, request)).model_copy(
        update={"outcome": "shortened", "reason": OUT_OF_TIME}
    )
    await kept(database, whole, event)
    assert not (await parent_of(database, request)).model_copy(update={"parent_run_id": whole.run_id}).was_cut
    again = await due(database, whole)
    await handler(installation).handle(again)
    assert not await waits(installation, again)
    assert (await installation.counts())["runs"] == 2


async def test_a_crash_leaves_nothing_and_the_event_is_answered_again(installation: Installation) -> None:
    request, event = await called_for(installation)
    working = handler(installation)

    async def crash() -> None:
        raise ConnectionError("gone")

    parts = {name: getattr(working.runner, name) for name in ("pipeline", "interaction_log", "clock")}
    with pytest.raises(ConnectionError):
        await replace(working, runner=Interrupted(**parts, meanwhile=crash)).handle(event)
    assert await child(installation, request) is None
    assert await waits(installation, event)
    await working.handle(event)
    assert await child(installation, request) is not None


async def test_of_two_workers_on_one_event_the_later_writes_nothing(installation: Installation) -> None:
    request, event = await called_for(installation)
    working = handler(installation)
    parts = {name: getattr(working.runner, name) for name in ("pipeline", "interaction_log", "clock")}

    async def other() -> None:
        await working.handle(event)

    await replace(working, runner=Interrupted(**parts, meanwhile=other)).handle(event)
    assert await child(installation, request) is not None
    assert (await installation.counts())["runs"] == 2


async def test_what_is_decided_or_has_moved_on_is_not_drafted_again(installation: Installation) -> None:
    request, event = await called_for(installation)
    desk = Desk(installation)
    await desk.alone()
    await handler(installation).handle(event)
    assert await child(installation, request) is None
    assert not await waits(installation, event)


@pytest.mark.parametrize("busy", ["pressure", "room"])
async def test_while_customers_wait_it_is_put_off_and_at_last_left(installation: Installation, busy: str) -> None:
    request, event = await called_for(installation)
    working = handler(installation)
    if busy == "pressure":
        working.pressure.level = Pressure.HURRIED
    else:
        working._under_way = AT_ONCE
    await working.handle(event)
    assert await child(installation, request) is None
    async with installation.container.database.read() as uow:
        row = (await uow.session.execute(ROWS.select().where(ROWS.c.id == event.id))).one()
        assert row.not_before > await uow.now() + timedelta(seconds=5)
    assert row.last_error == "no_room"
    await working.handle(event.model_copy(update={"attempts": 4}))
    assert not await waits(installation, event)
    assert await child(installation, request) is None


async def test_given_up_it_is_buried_and_the_draft_stands(installation: Installation) -> None:
    request, event = await called_for(installation)
    await handler(installation).give_up(event, "bug")
    assert not await waits(installation, event)
    with pytest.raises(SupportError):
        async with installation.container.database.read() as uow:
            await uow.runs.load(event.id)  # type: ignore[arg-type] # no such run
    assert await child(installation, request) is None
