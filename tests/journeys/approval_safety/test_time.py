"""Clocks that jump, and time that runs out in the midst of something; the database's clock is moved."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from api.worker.dispatcher import InProcessDispatcher
from api.worker.handlers import ExecutionDueHandler
from api.worker.pace import Pace
from api.worker.relay import Relay
from approvals.consequences import UndoWindows
from approvals.testing import Fault
from db.engine import Database
from support_agents.domain.approval import DecisionVerdict, ExecutionStatus, Mode, RequestStatus
from support_agents.domain.errors import SupportError
from support_agents.domain.events import EventName
from support_agents.domain.ids import ExecutionId, RequestId
from tests.fixtures.approvals import REPLY, Shop, refund
from tests.soak.clock import MovableClock, make_movable

WEEKEND = timedelta(days=5)


class Moved(Shop):
    """A shop whose database's clock can be moved."""

    clock: MovableClock


@pytest.fixture
async def moved(database_url: str) -> AsyncIterator[Moved]:
    make_movable(database_url)
    clock = MovableClock(database_url)
    database = clock.install(Database.open(database_url))
    shop = Moved(database)
    shop.clock = clock
    await shop.mode(Mode.REPLY)
    yield shop
    await database.close()


async def relayed(shop: Shop) -> bool:
    """What a relay does in one round; returns whether it trusts the clock."""
    handlers = {EventName.EXECUTION_DUE: ExecutionDueHandler(shop.database, shop.executions)}
    relay = Relay(shop.database, InProcessDispatcher(handlers, shop.database, Pace()), Pace())
    await relay._round()
    await asyncio.gather(*relay._under_way.values())
    return relay.steady


async def approved(shop: Shop) -> ExecutionId:
    (request,) = await shop.proposed(refund())
    execution = await shop.approve(request, await shop.person("ben"))
    assert execution is not None
    return execution


async def test_a_clock_set_back_stops_dispatch_until_time_has_caught_up(moved: Moved) -> None:
    execution = await approved(moved)
    moved.clock.move(timedelta(hours=-2))
    assert not await relayed(moved)
    assert (await moved.status(execution), moved.payments.booked) == (ExecutionStatus.SCHEDULED, {})
    moved.clock.move(timedelta(hours=2, seconds=1))
    assert await relayed(moved)
    assert (await moved.status(execution), len(moved.payments.booked)) == (ExecutionStatus.SUCCEEDED, 1)


async def test_a_clock_set_back_gives_an_expired_card_no_second_life(moved: Moved) -> None:
    (request,) = await moved.proposed(REPLY)
    moved.clock.move(WEEKEND)
    assert await moved.queue.expire_due() == 1
    moved.clock.move(-WEEKEND)
    assert await code(moved, request) == "expired"
    assert (await moved.request(request)).status is RequestStatus.EXPIRED


async def test_a_clock_that_is_ahead_of_our_own_decides_what_has_expired(moved: Moved) -> None:
    (request,) = await moved.proposed(REPLY)
    moved.clock.move(WEEKEND)  # our own clock says that there is time enough
    assert await code(moved, request) == "expired"


async def test_a_jump_ahead_opens_the_undo_window_no_later_and_a_jump_back_no_earlier(moved: Moved) -> None:
    moved.windows = UndoWindows()
    execution = await approved(moved)
    moved.clock.move(timedelta(seconds=-3))  # less than makes the relay stop
    assert await relayed(moved)
    assert await moved.status(execution) is ExecutionStatus.SCHEDULED
    moved.clock.move(timedelta(seconds=70))
    assert await relayed(moved)
    assert await moved.status(execution) is ExecutionStatus.SUCCEEDED


@pytest.mark.parametrize("hours", [-3, 3])
async def test_a_clock_that_jumps_during_the_call_makes_no_second_refund(moved: Moved, hours: int) -> None:
    execution = await approved(moved)
    moved.payments.faults.coming = [Fault.STALL]
    worker = asyncio.create_task(moved.executions.carry_out(execution))
    await moved.payments.faults.reached.wait()
    moved.clock.move(timedelta(hours=hours))
    moved.payments.faults.release.set()
    await worker
    for _ in range(6):
        await moved.executions.reconcile_due()
        await relayed(moved)
        moved.clock.move(timedelta(hours=1))
    assert (await moved.status(execution), len(moved.payments.booked)) == (ExecutionStatus.SUCCEEDED, 1)


async def test_a_card_that_expires_while_it_is_carried_out_changes_nothing(moved: Moved) -> None:
    execution = await approved(moved)
    moved.payments.faults.coming = [Fault.STALL]
    worker = asyncio.create_task(moved.executions.carry_out(execution))
    await moved.payments.faults.reached.wait()
    moved.clock.move(WEEKEND)
    assert await moved.queue.expire_due() == 0
    moved.payments.faults.release.set()
    assert await worker is ExecutionStatus.IN_DOUBT  # it slept too long to be believed
    assert await moved.executions.reconcile(execution) is ExecutionStatus.SUCCEEDED
    request = (await moved.execution(execution)).request_id
    assert ((await moved.request(request)).status, len(moved.payments.booked)) == (RequestStatus.APPROVED, 1)


@pytest.mark.parametrize("verdict", [DecisionVerdict.REJECT, DecisionVerdict.APPROVE])
async def test_a_decision_races_expiry_and_one_of_them_counts(moved: Moved, verdict: DecisionVerdict) -> None:
    counted = {DecisionVerdict.REJECT: RequestStatus.REJECTED, DecisionVerdict.APPROVE: RequestStatus.APPROVED}
    for minute in range(6):
        (request,) = await moved.proposed(REPLY, key=f"m-{minute}", minute=minute)
        shown = await moved.request(request)
        left = shown.expires_at - moved.clock.now()
        moved.clock.move(left - timedelta(milliseconds=20 * minute))
        ben = await moved.person(f"ben{minute}")
        decide = moved.queue.decide(request, digest=shown.digest, verdict=verdict, person=ben, reason="no")
        decided, _ = await asyncio.gather(decide, moved.queue.expire_due(), return_exceptions=True)
        moved.clock.move(timedelta(seconds=1))
        await moved.queue.expire_due()
        refused = isinstance(decided, SupportError)
        assert (await moved.request(request)).status is (RequestStatus.EXPIRED if refused else counted[verdict])


async def code(shop: Shop, request: RequestId) -> str:
    """With which code an approval is refused now."""
    with pytest.raises(SupportError) as caught:
        await shop.approve(request, await shop.person("late"))
    return caught.value.code
