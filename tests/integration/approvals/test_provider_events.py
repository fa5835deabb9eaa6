"""What providers tell afterwards: once each, in any order, and never a second refund."""

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from api.intake.paypal import PayPalIntake
from api.intake.protocol import Unparseable
from api.intake.stripe import StripeIntake
from approvals.outcome import Outcome
from approvals.ports import Refused
from approvals.provider_events import ProviderEvents
from approvals.testing import Fault
from db.models.provider_events import ProviderOutcome
from db.repositories.provider_events import NewProviderEvent
from db.repositories.refund_ledger import OrderMoney
from support_agents.domain.approval import ExecutionStatus, RequestStatus
from support_agents.domain.ids import DEFAULT_WORKSPACE, ActionId, ExecutionId
from tests.fixtures.approvals import ORDER, REPLY, Shop, refund
from tests.fixtures.inbound import START

STATES = REPLY.model_copy(update={"after": "refund"})


@dataclass
class Told:
    """Events of one refund, each an instant later than the one before."""

    action: ActionId | None
    reference: str
    count: int = 0

    def event(self, outcome: ProviderOutcome, **changes: Any) -> NewProviderEvent:
        self.count += 1
        return NewProviderEvent(
            workspace_id=DEFAULT_WORKSPACE, provider="stripe", event_id=f"evt_{self.count}", kind="refund.updated",
            outcome=outcome, reference=self.reference, payment_ref=ORDER.payment_ref, action_id=self.action,
            occurred_at=START + timedelta(seconds=self.count), received_at=START, raw=b"{}",
        ).model_copy(update=changes)  # fmt: skip


def events_of(shop: Shop) -> ProviderEvents:
    return ProviderEvents(shop.database, Outcome(shop.database, shop.consequences))


async def booked(shop: Shop) -> tuple[ExecutionId, Told]:
    """A refund that has succeeded, and what its provider may still tell of it."""
    execution = await shop.approved(refund())
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SUCCEEDED
    row = await shop.execution(execution)
    assert row.receipt is not None
    return execution, Told(row.action_id, row.receipt)


async def left(shop: Shop) -> int:
    async with shop.database.read() as uow:
        money = OrderMoney(order_id=ORDER.order_id, paid=ORDER.total, refunded=ORDER.refunded)
        return await uow.refund_ledger.left(DEFAULT_WORKSPACE, money)


async def test_a_refund_that_fails_afterwards_gives_money_and_ticket_back(shop: Shop) -> None:
    execution, told = await booked(shop)
    assert await left(shop) == 0
    assert await events_of(shop).take(told.event(ProviderOutcome.FAILED))
    assert await shop.status(execution) is ExecutionStatus.FAILED
    assert await left(shop) == ORDER.total.minor
    assert "failed afterwards" in (await shop.needs_person((await shop.execution(execution)).ticket_id) or "")


async def test_an_event_counts_once(shop: Shop) -> None:
    execution, told = await booked(shop)
    failed = told.event(ProviderOutcome.FAILED)
    assert [await events_of(shop).take(failed) for _ in range(3)] == [True, False, False]
    async with shop.database.read() as uow:
        entries = [entry.event for entry in await uow.audit.of(execution)]
    assert entries.count("provider.failed") == 1
    assert await left(shop) == ORDER.total.minor


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_in_any_order_a_failure_is_for_good(shop: Shop, order: tuple[int, ...]) -> None:
    execution, told = await booked(shop)
    three = [told.event(outcome) for outcome in
             (ProviderOutcome.PENDING, ProviderOutcome.SUCCEEDED, ProviderOutcome.FAILED)]  # fmt: skip
    for index in order:
        await events_of(shop).take(three[index])
    assert await shop.status(execution) is ExecutionStatus.FAILED
    assert await left(shop) == ORDER.total.minor
    assert len(shop.payments.booked) == 1


async def test_a_failure_that_is_told_before_our_own_answer_is_remembered(shop: Shop) -> None:
    requests = await shop.proposed(refund())
    execution = await shop.approve(requests[0], await shop.person("ben"))
    assert execution is not None
    row = await shop.execution(execution)
    early = Told(row.action_id, f"refund-{row.action_id}.1")
    await events_of(shop).take(early.event(ProviderOutcome.FAILED))
    assert await shop.executions.carry_out(execution) is ExecutionStatus.FAILED
    assert await left(shop) == ORDER.total.minor


async def test_what_waited_for_a_refund_that_failed_is_not_sent(shop: Shop) -> None:
    money, words = await shop.proposed(refund(), STATES)
    ben = await shop.person("ben")
    await shop.approve(words, ben)
    execution = await shop.approve(money, ben)
    assert execution is not None
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SUCCEEDED
    async with shop.database.read() as uow:
        reply = await uow.executions.by_request(words)
    assert reply is not None
    row = await shop.execution(execution)
    await events_of(shop).take(Told(row.action_id, row.receipt or "").event(ProviderOutcome.FAILED))
    assert await shop.executions.carry_out(reply.id) is ExecutionStatus.SUPERSEDED
    assert shop.mail.sent == []
    assert (await shop.request(words)).status is RequestStatus.SUPERSEDED


async def test_doubt_ends_when_the_provider_tells(shop: Shop) -> None:
    execution = await shop.approved(refund())
    shop.payments.faults.coming = [Fault.TIME_OUT_AFTER]
    assert await shop.executions.carry_out(execution) is ExecutionStatus.IN_DOUBT
    row = await shop.execution(execution)
    await events_of(shop).take(Told(row.action_id, "re_1").event(ProviderOutcome.SUCCEEDED))
    assert await shop.status(execution) is ExecutionStatus.SUCCEEDED
    assert (await shop.execution(execution)).receipt == "re_1"
    assert await left(shop) == 0
    assert len(shop.payments.booked) == 1


async def test_a_success_of_what_was_taken_back_is_in_front_of_a_person(shop: Shop) -> None:
    execution = await shop.approved(refund())
    row = await shop.execution(execution)
    await shop.executions.cancel(execution, workspace=DEFAULT_WORKSPACE, actor="test")
    await events_of(shop).take(Told(row.action_id, "re_9").event(ProviderOutcome.SUCCEEDED))
    assert await shop.status(execution) is ExecutionStatus.CANCELLED
    assert "re_9" in (await shop.needs_person(row.ticket_id) or "")


async def test_a_payment_that_was_taken_back_is_shown_and_changes_no_status(shop: Shop) -> None:
    execution, told = await booked(shop)
    reversed_ = told.event(ProviderOutcome.REVERSED, action_id=None, reference="", provider="paypal")
    await events_of(shop).take(reversed_)
    assert await shop.status(execution) is ExecutionStatus.SUCCEEDED
    assert ORDER.payment_ref in (await shop.needs_person((await shop.execution(execution)).ticket_id) or "")


async def test_news_of_a_payment_has_what_is_in_doubt_asked_at_once(shop: Shop) -> None:
    execution = await shop.approved(refund())
    shop.payments.faults.coming = [Fault.TIME_OUT_AFTER]
    await shop.executions.carry_out(execution)
    async with shop.database.write("later") as uow:
        row = await uow.executions.get(execution)
        assert row is not None
        await uow.executions.set(row, next_check_at=await uow.now() + timedelta(hours=1))
    noted = Told(None, "").event(ProviderOutcome.NOTED, kind="charge.refunded")
    await events_of(shop).take(noted)
    assert await shop.executions.due_for_reconcile(10) == (execution,)


@pytest.mark.parametrize("change", [{"reference": "re_other"}, {"action_id": None, "reference": "re_other"}])
async def test_another_refunds_failure_fails_nothing_of_ours(shop: Shop, change: dict[str, Any]) -> None:
    execution, told = await booked(shop)
    await events_of(shop).take(told.event(ProviderOutcome.FAILED, **change))
    assert await shop.status(execution) is ExecutionStatus.SUCCEEDED
    assert await left(shop) == 0


async def test_an_event_about_a_reply_changes_nothing(shop: Shop) -> None:
    execution = await shop.approved(REPLY)
    await shop.executions.carry_out(execution)
    row = await shop.execution(execution)
    await events_of(shop).take(Told(row.action_id, row.receipt or "").event(ProviderOutcome.FAILED))
    assert await shop.status(execution) is ExecutionStatus.SUCCEEDED


async def test_a_refund_approved_for_another_provider_is_not_made(shop: Shop) -> None:
    execution = await shop.approved(refund())
    shop.payments.name = "stripe"
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SUPERSEDED
    assert shop.payments.booked == {}


async def test_a_refund_that_the_provider_let_fail_is_for_a_person_and_not_for_another_try(shop: Shop) -> None:
    execution = await shop.approved(refund())
    shop.payments.faults.coming = [Fault.FAIL]
    await shop.executions.carry_out(execution)

    shop.payments.failed_afterwards = Refused("provider_failed", "the bank said no")
    await shop.lapse(execution)
    assert await shop.executions.reconcile(execution) is ExecutionStatus.IN_DOUBT
    assert "the bank said no" in (await shop.needs_person((await shop.execution(execution)).ticket_id) or "")
    assert await shop.executions.due_for_reconcile(10) == ()


STRIPE = StripeIntake((b"whsec_x",), DEFAULT_WORKSPACE, live=False)


async def _never(_raw: bytes, _headers: object) -> bool:
    return False


PAYPAL = PayPalIntake(_never, DEFAULT_WORKSPACE)


@pytest.mark.parametrize("intake", [STRIPE, PAYPAL])
@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"id": 1}', b"\xff", b'{"id":"e","type":"refund.failed"}'])
def test_any_body_has_an_answer(intake: StripeIntake | PayPalIntake, raw: bytes) -> None:
    assert isinstance(intake.parse(raw, START), Unparseable)


def test_an_event_of_the_other_mode_is_not_taken() -> None:
    raw = b'{"id":"evt_1","type":"refund.failed","created":1,"livemode":false,"data":{"object":{"id":"re_1"}}}'
    assert isinstance(STRIPE.parse(raw, START), NewProviderEvent)
    assert isinstance(replace(STRIPE, live=True).parse(raw, START), Unparseable)
