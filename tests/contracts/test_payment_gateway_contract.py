from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from approvals.adapters.payments.ledger import LedgerPaymentGateway, Payment
from approvals.ports import Absent, PaymentGateway, Receipt, RefundOrder, Refused
from approvals.testing import FakePaymentGateway
from support_agents.domain.ids import ActionId, new_id
from support_agents.domain.money import Money

PAID = Money(minor=5_000, currency="EUR")
Make = Callable[[Path], Awaitable[PaymentGateway]]


async def ledger(folder: Path) -> PaymentGateway:
    gateway = LedgerPaymentGateway(folder / "ledger.db")
    await gateway.record([Payment("pay-1", PAID, Money(minor=0, currency="EUR"))])
    return gateway


async def fake(_folder: Path) -> PaymentGateway:
    return FakePaymentGateway({"pay-1": PAID})


@pytest.fixture(params=[ledger, fake])
async def gateway(request: pytest.FixtureRequest, tmp_path: Path) -> PaymentGateway:
    made: PaymentGateway = await request.param(tmp_path)
    return made


def order(minor: int = 1_000, *, action: ActionId | None = None, generation: int = 1, currency: str = "EUR",
          payment: str = "pay-1") -> RefundOrder:  # fmt: skip
    action = action or ActionId(new_id())
    return RefundOrder(f"{action}.{generation}", action, payment, Money(minor=minor, currency=currency))


async def test_the_same_key_gives_the_same_receipt_and_one_refund(gateway: PaymentGateway) -> None:
    one = order(5_000)
    first = await gateway.refund(one)
    assert isinstance(first, Receipt)
    assert await gateway.refund(one) == first


async def test_the_same_key_with_other_parameters_is_refused(gateway: PaymentGateway) -> None:
    one = order(1_000)
    await gateway.refund(one)
    other = RefundOrder(one.key, one.action, one.payment_ref, Money(minor=2_000, currency="EUR"))
    assert isinstance(await gateway.refund(other), Refused)


async def test_more_than_was_paid_is_refused_over_several_refunds(gateway: PaymentGateway) -> None:
    assert isinstance(await gateway.refund(order(3_000)), Receipt)
    assert isinstance(await gateway.refund(order(2_001)), Refused)
    assert isinstance(await gateway.refund(order(2_000)), Receipt)


@pytest.mark.parametrize("bad", [order(currency="USD"), order(payment="pay-2"), order(0), order(-5)])
async def test_what_makes_no_sense_is_refused(gateway: PaymentGateway, bad: RefundOrder) -> None:
    assert isinstance(await gateway.refund(bad), Refused)


async def test_a_refund_is_found_by_its_action_whatever_the_key(gateway: PaymentGateway) -> None:
    action = ActionId(new_id())
    assert await gateway.find("pay-1", action) == Absent()
    booked = await gateway.refund(order(action=action, generation=3))
    assert await gateway.find("pay-1", action) == booked
    assert await gateway.find("pay-1", ActionId(new_id())) == Absent()


async def test_the_ledger_survives_being_opened_again(tmp_path: Path) -> None:
    one = order(4_000)
    first = await (await ledger(tmp_path)).refund(one)
    again = LedgerPaymentGateway(tmp_path / "ledger.db")
    assert await again.refund(one) == first
    assert await again.find("pay-1", one.action) == first
    assert isinstance(await again.refund(order(2_000)), Refused)


async def test_what_was_refunded_before_counts(tmp_path: Path) -> None:
    gateway = LedgerPaymentGateway(tmp_path / "ledger.db")
    await gateway.record([Payment("pay-9", PAID, Money(minor=4_500, currency="EUR"))])
    assert isinstance(await gateway.refund(order(501, payment="pay-9")), Refused)
    assert isinstance(await gateway.refund(order(500, payment="pay-9")), Receipt)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(amounts=st.lists(st.integers(1, 3_000), max_size=8))
async def test_no_sequence_of_refunds_exceeds_what_was_paid(
    amounts: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    for make in (ledger, fake):
        gateway = await make(tmp_path_factory.mktemp("ledger"))
        booked = [amount for amount in amounts if isinstance(await gateway.refund(order(amount)), Receipt)]
        assert sum(booked) <= PAID.minor
