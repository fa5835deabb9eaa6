"""From a claimed event to card ready: overtaken runs, lost attempts, crashes in between, lateness, giving up."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from api.worker.handlers import GIVEN_UP, TicketReceivedHandler, Timing
from api.worker.outliers import OutlierLearning
from db.interaction_log import InteractionLog
from db.repositories.runs import RUNS
from support_agents.admission import Lane
from support_agents.domain.budget import Budget
from support_agents.domain.events import OutboxEvent
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.domain.runs import Run, RunRecord
from support_agents.domain.ticket import InboundMessage, TicketSnapshot
from support_agents.ladder import TOO_BUSY
from support_agents.runner import TicketRunner
from tests.fixtures.installation import Installation, event
from tests.fixtures.interrupted import Interrupted
from tests.fixtures.statements import statements


def handler(installation: Installation) -> TicketReceivedHandler:
    container = installation.container
    return TicketReceivedHandler(
        pressure=container.admission.pressure,
        database=container.database,
        tickets=container.ticket_store,
        runner=container.runner,
        log=InteractionLog(),
        queue=container.queue,
        clock=container.clock,
        timing=Timing(30.0, 20.0),
        budget=Budget(),
    )


def interrupted(installation: Installation, meanwhile: Callable[[], Awaitable[object]]) -> TicketReceivedHandler:
    runner = installation.container.runner
    busy = Interrupted(
        pipeline=runner.pipeline, interaction_log=runner.interaction_log, clock=runner.clock, meanwhile=meanwhile
    )
    return replace(handler(installation), runner=busy)


@dataclass(frozen=True, kw_only=True)
class Noting(TicketRunner):
    """The real runner, which notes what it was given and how that ended."""

    given: list[Run] = field(default_factory=list)
    ended: list[RunRecord] = field(default_factory=list)

    async def run(self, ticket: TicketSnapshot, run: Run, *, resumed: bool = False) -> RunRecord:
        """Run as ever."""
        self.given.append(run)
        self.ended.append(await super().run(ticket, run, resumed=resumed))
        return self.ended[-1]


def noting(runner: TicketRunner) -> Noting:
    """The same runner, taking notes."""
    return Noting(pipeline=runner.pipeline, interaction_log=runner.interaction_log, clock=runner.clock)


async def claim(installation: Installation) -> OutboxEvent:
    async with installation.container.database.write("claim") as uow:
        [claimed] = await uow.outbox.claim(limit=1, lease=timedelta(0))
    return claimed


async def runs(installation: Installation) -> list[Any]:
    async with installation.container.database.read() as uow:
        query = select(RUNS.c.status, RUNS.c.outcome, RUNS.c.attempt, RUNS.c.late).order_by(RUNS.c.id)
        return list((await uow.session.execute(query)).all())


async def test_a_second_message_during_a_run_overtakes_it_and_both_are_answered_once(
    installation: Installation,
) -> None:
    await installation.send(event(message_id="1"))
    first = await claim(installation)

    async def write_again() -> None:
        await installation.send(event(message_id="2", text="And who pays the postage?"))

    await interrupted(installation, write_again).handle(first)
    assert [run.outcome for run in await runs(installation)] == ["overtaken"]
    assert (await installation.counts())["approval_requests"] == 0
    async with installation.working():
        await installation.settled()
    assert len(await runs(installation)) == 2


async def test_a_crash_before_card_ready_leaves_nothing_and_the_same_run_is_resumed_late(
    installation: Installation,
) -> None:
    await installation.send(event())

    async def crash() -> None:
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        await interrupted(installation, crash).handle(await claim(installation))
    assert [tuple(run) for run in await runs(installation)] == [("open", None, 1, False)]
    await handler(installation).handle(await claim(installation))
    [run] = await runs(installation)
    assert (run.status, run.attempt, run.late) == ("finished", 2, True)


async def test_every_run_leaves_its_numbers_for_later_ones_to_be_compared_with(installation: Installation) -> None:
    await installation.send(event())
    await handler(installation).handle(await claim(installation))
    async with installation.container.database.read() as uow:
        [mark] = await uow.runs.outliers(DEFAULT_WORKSPACE, limit=10)
    assert mark.features[0] > 0
    assert mark.score is None
    outliers = installation.container.runner.outliers
    assert outliers is not None
    learning = OutlierLearning(installation.container.database, outliers, installation.container.keeper)
    async with installation.working():
        assert not await learning.run(DEFAULT_WORKSPACE)  # one run says nothing of what is usual


async def test_of_two_workers_on_one_run_the_later_attempt_wins(installation: Installation) -> None:
    await installation.send(event())

    async def another_worker() -> None:
        await handler(installation).handle(await claim(installation))

    await interrupted(installation, another_worker).handle(await claim(installation))
    [run] = await runs(installation)
    assert (run.status, run.attempt) == ("finished", 2)
    assert (await installation.counts())["approval_requests"] <= 1


async def test_an_event_handled_twice_makes_one_run(installation: Installation) -> None:
    await installation.send(event())
    claimed = await claim(installation)
    for _ in range(3):
        await handler(installation).handle(claimed)
    assert len(await runs(installation)) == 1


async def waited(installation: Installation, seconds: float) -> Run:
    """Have a message handled that came so many seconds ago; return its run."""
    inbound = installation.container.intakes["standard"].parse(
        b'{"type":"message.created","occurred_at":"2026-11-02T09:00:00Z","ticket":{"id":"1"},'
        b'"message":{"id":"1","text":"How long may I return it?","author":"customer"}}',
        datetime.now(UTC) - timedelta(seconds=seconds),
    )
    assert isinstance(inbound, InboundMessage)
    await installation.container.ticket_store.receive(inbound, b"")
    runner = noting(installation.container.runner)
    await replace(handler(installation), runner=runner).handle(await claim(installation))
    return runner.given[0]


async def test_a_message_that_waited_too_long_gets_a_deadline_of_its_own_without_a_model_and_is_late(
    local_installation: Installation,
) -> None:
    given = await waited(local_installation, 60)
    [run] = await runs(local_installation)
    assert run.late
    assert given.hurried, "a model's draft would make those late that wait behind it"


async def test_a_message_that_can_still_be_in_time_keeps_its_deadline(local_installation: Installation) -> None:
    given = await waited(local_installation, 22)
    [run] = await runs(local_installation)
    assert not run.late
    assert not given.hurried
    assert given.deadline.remaining < 30 - 22


async def test_a_run_is_handed_off_at_once_where_a_draft_would_make_those_late_that_are_being_begun(
    installation: Installation,
) -> None:
    await asyncio.gather(*(installation.send(event(ticket_id=name, message_id=name)) for name in "ab"))
    async with installation.container.database.write("claim") as uow:
        claimed = await uow.outbox.claim(limit=2, lease=timedelta(0))
    runner = noting(installation.container.runner)
    slow = replace(runner, pipeline=replace(runner.pipeline, lane=Lane(step=3_600.0)))
    handling = replace(handler(installation), runner=slow)
    await asyncio.gather(*(handling.handle(one) for one in claimed))
    assert TOO_BUSY in [record.reason for record in slow.ended]


async def test_giving_up_hands_the_ticket_to_people(local_installation: Installation) -> None:
    ticket = (await local_installation.send(event())).json()["ticket_id"]
    claimed = await claim(local_installation)
    await handler(local_installation).give_up(claimed, "ValueError")
    headers = {"Authorization": f"Bearer {local_installation.container.key.local_token}"}
    shown = (await local_installation.client.get(f"/v1/tickets/{ticket}", headers=headers)).json()
    assert shown["ticket"]["needs_person_reason"] == GIVEN_UP
    waiting = (await local_installation.client.get("/v1/tickets?needs_person=true", headers=headers)).json()
    assert [item["id"] for item in waiting["items"]] == [ticket]


async def test_a_run_takes_no_more_statements_than_it_needs(installation: Installation) -> None:
    await installation.send(event())
    claimed = await claim(installation)
    with statements() as executed:
        await handler(installation).handle(claimed)
    assert [run.status for run in await runs(installation)] == ["finished"]
    # Lock, look, begin; lock, close, sections, event done, ticket answered, circumstances, request, audit.
    assert len(executed) <= 11, executed
