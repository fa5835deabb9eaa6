"""Two things at once, in every order that matters."""

import asyncio

import pytest

from approvals.ports import Person
from approvals.testing import Fault
from support_agents.domain.approval import ExecutionStatus, RequestStatus, Role
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, ExecutionId, RequestId
from support_agents.domain.money import Money
from support_agents.domain.ticket import Author
from tests.fixtures.approvals import ORDER, REPLY, Shop, refund
from tests.fixtures.inbound import ANNA

BIG = ORDER.model_copy(update={"order_id": "A-2", "total": Money(minor=20_000, currency="EUR"), "payment_ref": "pay-2"})
STATES = REPLY.model_copy(update={"text": "We have refunded €49.90.", "after": "refund"})


async def big_request(shop: Shop) -> RequestId:
    shop.orders.orders = {ANNA.email: (ORDER, BIG)}
    shop.payments.payments["pay-2"] = BIG.total
    (request,) = await shop.proposed(refund(BIG), order=BIG)
    return request


async def code(shop: Shop, request: RequestId, person: Person) -> str:
    """The error's code of an approval, or nothing."""
    try:
        await shop.approve(request, person)
    except SupportError as error:
        return error.code
    return ""


async def test_two_approvers_at_once_on_a_two_person_request(shop: Shop) -> None:
    request = await big_request(shop)
    ben, mia = await shop.person("ben"), await shop.person("mia", Role.MANAGER)
    executions = await asyncio.gather(shop.approve(request, ben), shop.approve(request, mia))
    assert sorted(execution is None for execution in executions) == [False, True]
    (execution,) = [execution for execution in executions if execution is not None]
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SUCCEEDED
    assert len(shop.payments.booked) == 1


async def test_two_people_without_a_manager_are_not_enough(shop: Shop) -> None:
    request = await big_request(shop)
    for name in ("ben", "eva", "tom"):
        assert await shop.approve(request, await shop.person(name)) is None
    assert (await shop.request(request)).status is RequestStatus.PENDING
    assert await shop.approve(request, await shop.person("mia", Role.MANAGER)) is not None


async def test_a_manager_alone_is_not_enough(shop: Shop) -> None:
    request = await big_request(shop)
    mia = await shop.person("mia", Role.MANAGER)
    assert await shop.approve(request, mia) is None
    assert await code(shop, request, mia) == "already_decided"
    assert (await shop.request(request)).status is RequestStatus.PENDING


async def test_a_double_click_is_one_approval(shop: Shop) -> None:
    (request,) = await shop.proposed(refund())
    ben = await shop.person("ben")
    codes = await asyncio.gather(*(code(shop, request, ben) for _ in range(4)))
    assert sorted(codes) == ["", "already_decided", "already_decided", "already_decided"]


async def test_one_of_two_approvers_of_a_one_person_request_learns_who_was_first(shop: Shop) -> None:
    (request,) = await shop.proposed(REPLY)
    await shop.approve(request, await shop.person("ben"))
    with pytest.raises(SupportError, match=r"ben@shop\.example was first") as caught:
        await shop.approve(request, await shop.person("eva"))
    assert caught.value.code == "already_decided"


async def test_a_rejection_races_an_approval_and_one_wins(shop: Shop) -> None:
    (request,) = await shop.proposed(refund())
    ben, eva = await shop.person("ben"), await shop.person("eva")
    done = await asyncio.gather(shop.approve(request, ben), shop.reject(request, eva), return_exceptions=True)
    losers = [each for each in done if isinstance(each, SupportError)]
    assert [loser.code for loser in losers] == ["already_decided"]
    assert (await shop.request(request)).status in {RequestStatus.APPROVED, RequestStatus.REJECTED}


async def test_a_second_message_during_a_run_leaves_no_request(shop: Shop) -> None:
    ticket = await shop.write()
    begun, _ = await shop.begin(ticket)
    await shop.write("m-1", minute=1)
    assert await shop.finish(begun, REPLY, refund()) == ()


async def test_a_second_message_makes_a_pending_request_undecidable(shop: Shop) -> None:
    (request,) = await shop.proposed(REPLY)
    await shop.write("m-1", minute=1)
    assert await code(shop, request, await shop.person("ben")) == "stale"
    assert await shop.queue.sweep_superseded() == 1
    assert await shop.queue.sweep_superseded() == 0
    assert await code(shop, request, await shop.person("eva")) == "superseded"


async def test_the_next_run_supersedes_and_only_one_request_is_pending(shop: Shop) -> None:
    first = await shop.proposed(refund(), STATES)
    second = await shop.proposed(refund(), STATES, key="m-1", minute=1)
    assert [(await shop.request(r)).status for r in first] == [RequestStatus.SUPERSEDED] * 2
    assert [(await shop.request(r)).status for r in second] == [RequestStatus.PENDING] * 2


async def test_a_message_in_the_undo_window_stops_the_reply(shop: Shop) -> None:
    (request,) = await shop.proposed(REPLY)
    ticket = (await shop.request(request)).ticket_id
    execution = await shop.approve(request, await shop.person("ben"))
    assert execution is not None
    await shop.write("m-1", minute=1)
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SUPERSEDED
    assert shop.mail.sent == []
    assert "moved on" in (await shop.needs_person(ticket) or "")
    assert (await shop.request(request)).status is RequestStatus.SUPERSEDED


async def test_an_operator_who_replies_first_supersedes(shop: Shop) -> None:
    (request,) = await shop.proposed(REPLY)
    await shop.write("m-1", minute=1, by=Author.OPERATOR, text="I have answered it")
    assert await code(shop, request, await shop.person("ben")) == "stale"


async def test_an_operator_who_replies_in_the_undo_window_supersedes(shop: Shop) -> None:
    execution = await shop.approved(REPLY, source="zendesk")
    await shop.write("m-1", minute=1, by=Author.OPERATOR, source="zendesk")
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SUPERSEDED
    assert shop.helpdesk.tickets["77"].comments == []


async def two_partial(shop: Shop, *, minor: int) -> tuple[ExecutionId, ExecutionId]:
    """Two approved refunds of one order, on two tickets."""
    ben = await shop.person("ben")
    (first,) = await shop.proposed(refund(minor=minor))
    (second,) = await shop.proposed(refund(minor=minor), source="zendesk")
    one, two = await shop.approve(first, ben), await shop.approve(second, ben)
    assert one is not None
    assert two is not None
    return one, two


async def test_two_partial_refunds_that_fit_both_happen(shop: Shop) -> None:
    pair = await two_partial(shop, minor=2_400)
    done = await asyncio.gather(*(shop.executions.carry_out(each) for each in pair))
    assert list(done) == [ExecutionStatus.SUCCEEDED] * 2


async def test_two_partial_refunds_never_exceed_what_was_paid(shop: Shop) -> None:
    shop.payments.payments["pay-1"] = Money(minor=100_000, currency="EUR")  # the provider would let it happen
    pair = await two_partial(shop, minor=3_000)
    done = await asyncio.gather(*(shop.executions.carry_out(each) for each in pair))
    assert sorted(done) == [ExecutionStatus.SUCCEEDED, ExecutionStatus.SUPERSEDED]
    assert sum(order.amount.minor for order in shop.payments.booked.values()) == 3_000


async def test_money_in_doubt_counts_as_spent(shop: Shop) -> None:
    shop.payments.payments["pay-1"] = Money(minor=100_000, currency="EUR")
    one, two = await two_partial(shop, minor=3_000)
    shop.payments.faults.coming = [Fault.FAIL]
    assert await shop.executions.carry_out(one) is ExecutionStatus.IN_DOUBT
    assert await shop.executions.carry_out(two) is ExecutionStatus.SUPERSEDED


async def waiting_pair(shop: Shop) -> tuple[RequestId, RequestId, ExecutionId, Person]:
    """An approved refund and the approved reply that states it."""
    first, second = await shop.proposed(refund(), STATES)
    ben = await shop.person("ben")
    execution = await shop.approve(first, ben)
    assert execution is not None
    assert await shop.approve(second, ben) is None
    assert (await shop.request(second)).status is RequestStatus.APPROVED
    return first, second, execution, ben


async def test_a_reply_that_states_a_refund_goes_out_after_it(shop: Shop) -> None:
    _, reply, execution, _ = await waiting_pair(shop)
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SUCCEEDED
    async with shop.database.read() as uow:
        follow = await uow.executions.by_request(reply)
    assert follow is not None
    assert await shop.executions.carry_out(follow.id) is ExecutionStatus.SUCCEEDED
    assert len(shop.mail.sent) == 1


async def test_a_reply_approved_after_the_refund_is_scheduled_at_once(shop: Shop) -> None:
    first, second = await shop.proposed(refund(), STATES)
    ben = await shop.person("ben")
    execution = await shop.approve(first, ben)
    assert execution is not None
    await shop.executions.carry_out(execution)
    assert await shop.approve(second, ben) is not None


async def test_a_reply_whose_refund_is_cancelled_is_superseded(shop: Shop) -> None:
    _, reply, execution, ben = await waiting_pair(shop)
    await shop.executions.cancel(execution, workspace=DEFAULT_WORKSPACE, actor=str(ben.operator_id))
    assert (await shop.request(reply)).status is RequestStatus.SUPERSEDED
    assert await shop.executions.carry_out(execution) is ExecutionStatus.CANCELLED
    assert (shop.mail.sent, shop.payments.booked) == ([], {})
    assert await shop.needs_person((await shop.request(reply)).ticket_id)


async def test_a_reply_whose_refund_is_refused_is_superseded(shop: Shop) -> None:
    _, reply, execution, _ = await waiting_pair(shop)
    shop.payments.faults.coming = [Fault.REFUSE]
    assert await shop.executions.carry_out(execution) is ExecutionStatus.FAILED
    assert (await shop.request(reply)).status is RequestStatus.SUPERSEDED


async def test_a_reply_whose_refund_is_rejected_is_superseded(shop: Shop) -> None:
    first, second = await shop.proposed(refund(), STATES)
    ben = await shop.person("ben")
    await shop.approve(second, ben)
    await shop.reject(first, await shop.person("eva"))
    assert (await shop.request(second)).status is RequestStatus.SUPERSEDED


async def test_a_reply_in_doubt_about_its_refund_keeps_waiting(shop: Shop) -> None:
    _, reply, execution, _ = await waiting_pair(shop)
    shop.payments.faults.coming = [Fault.TIME_OUT_AFTER]
    assert await shop.executions.carry_out(execution) is ExecutionStatus.IN_DOUBT
    assert (await shop.request(reply)).status is RequestStatus.APPROVED
    await shop.lapse(execution)
    assert await shop.executions.reconcile(execution) is ExecutionStatus.SUCCEEDED
    async with shop.database.read() as uow:
        assert await uow.executions.by_request(reply) is not None


async def test_many_workers_carry_out_one_execution_once(shop: Shop) -> None:
    execution = await shop.approved(refund())
    await asyncio.gather(*(shop.executions.carry_out(execution) for _ in range(5)))
    assert len(shop.payments.booked) == 1
    assert await shop.status(execution) is ExecutionStatus.SUCCEEDED
