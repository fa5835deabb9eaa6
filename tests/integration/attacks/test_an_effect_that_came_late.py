"""A refund that a paused worker booked late was written down as not made, and could be made again (I3)."""

import asyncio
from datetime import timedelta

import pytest

from approvals.ports import RefundOrder
from approvals.testing import Fault
from support_agents.domain.approval import ExecutionStatus, RequestStatus
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, ExecutionId
from support_agents.domain.money import Money
from tests.fixtures.approvals import ORDER, Shop, refund, set_column
from tests.fixtures.inbound import ANNA

PART = 3_000


async def scheduled_again(shop: Shop) -> tuple[ExecutionId, asyncio.Task[ExecutionStatus]]:
    """Its lease is over and it was proved absent, while its worker sleeps at the provider's door."""
    execution = await shop.approved(refund(minor=PART))
    shop.payments.faults.coming = [Fault.STALL]
    worker = asyncio.create_task(shop.executions.carry_out(execution))
    await shop.payments.faults.reached.wait()
    await shop.lapse(execution)
    assert await shop.executions.reconcile(execution) is ExecutionStatus.SCHEDULED
    return execution, worker


async def booked_late(shop: Shop, *, tells: bool) -> ExecutionId:
    """The worker has woken and booked – and told us, or died before it could."""
    execution, worker = await scheduled_again(shop)
    if tells:
        shop.payments.faults.release.set()
        await worker
    else:
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
        action = (await shop.execution(execution)).action_id
        amount = Money(minor=PART, currency="EUR")
        await shop.payments.refund(RefundOrder(f"{action}.1", action, ORDER.payment_ref, amount))
    assert len(shop.payments.booked) == 1
    async with shop.database.write("due") as uow:
        await set_column(uow, "executions", "not_before", await uow.now() - timedelta(seconds=1), execution)
    return execution


async def assert_found(shop: Shop, execution: ExecutionId) -> None:
    """However the world looks by now, it comes to its true end and its money counts."""
    await shop.executions.carry_out(execution)
    await shop.executions.reconcile(execution)
    found = await shop.execution(execution)
    assert (found.status, found.receipt is None) == (ExecutionStatus.SUCCEEDED, False)
    assert (await shop.request(found.request_id)).status is RequestStatus.APPROVED
    assert len(shop.payments.booked) == 1
    assert await shop.proposed(refund(minor=PART), source="zendesk") == ()


@pytest.mark.parametrize("tells", [True, False])
async def test_a_message_in_between_does_not_undo_it(shop: Shop, tells: bool) -> None:  # noqa: FBT001 - a parameter
    execution = await booked_late(shop, tells=tells)
    await shop.write("m-9", minute=9)
    await assert_found(shop, execution)


async def test_the_order_that_it_changed_does_not_undo_it(shop: Shop) -> None:
    execution = await booked_late(shop, tells=False)
    changed = ORDER.model_copy(update={"version": "v2", "refunded": Money(minor=PART, currency="EUR")})
    shop.orders.orders = {ANNA.email: (changed,)}
    await assert_found(shop, execution)


async def test_it_cannot_be_taken_back_any_more(shop: Shop) -> None:
    execution = await booked_late(shop, tells=True)
    with pytest.raises(SupportError) as caught:
        await shop.executions.cancel(execution, workspace=DEFAULT_WORKSPACE, actor="ben")
    assert caught.value.code == "too_late"
    await assert_found(shop, execution)


async def test_people_learn_of_one_that_was_taken_back_before(shop: Shop) -> None:
    execution, worker = await scheduled_again(shop)
    await shop.executions.cancel(execution, workspace=DEFAULT_WORKSPACE, actor="ben")
    shop.payments.faults.release.set()
    assert await worker is ExecutionStatus.CANCELLED
    reason = await shop.needs_person((await shop.execution(execution)).ticket_id)
    assert "happened after all" in (reason or "")


async def test_it_is_in_doubt_while_the_provider_does_not_say(shop: Shop) -> None:
    execution = await booked_late(shop, tells=False)
    shop.payments.answers = False
    await shop.write("m-9", minute=9)
    assert await shop.executions.carry_out(execution) is ExecutionStatus.IN_DOUBT
    shop.payments.answers = True
    await shop.lapse(execution)
    await assert_found(shop, execution)
