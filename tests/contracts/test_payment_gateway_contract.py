import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from approvals.adapters.payments.ledger import LedgerPaymentGateway, Payment
from approvals.adapters.payments.paypal import PayPalPaymentGateway
from approvals.adapters.payments.paypal_wire import as_paypal_value
from approvals.adapters.payments.stripe import StripePaymentGateway, in_stripe_units
from approvals.ports import Absent, PaymentGateway, Receipt, RefundOrder, Refused, Unknown
from approvals.testing import FakePaymentGateway
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import ActionId, new_id
from support_agents.domain.money import Money
from tests.peers import paypal_server, stripe_server
from tests.peers.paypal_server import PayPalFault, PayPalServer
from tests.peers.serving import serving
from tests.peers.stripe_server import StripeFault, StripeServer

PAID = Money(minor=5_000, currency="EUR")
Make = Callable[[Path], AbstractAsyncContextManager[PaymentGateway]]


@asynccontextmanager
async def ledger(folder: Path) -> AsyncIterator[PaymentGateway]:
    gateway = LedgerPaymentGateway(folder / "ledger.db")
    await gateway.record([Payment("pi_1", PAID, Money(minor=0, currency="EUR"))])
    yield gateway


@asynccontextmanager
async def fake(_folder: Path) -> AsyncIterator[PaymentGateway]:
    yield FakePaymentGateway({"pi_1": PAID})


@asynccontextmanager
async def stripe(_folder: Path) -> AsyncIterator[PaymentGateway]:
    peer = StripeServer()
    peer.add("pi_1", PAID.minor)
    async with serving(peer), stripe_at(peer) as gateway:
        yield gateway


@asynccontextmanager
async def paypal(_folder: Path) -> AsyncIterator[PaymentGateway]:
    peer = PayPalServer()
    peer.add("pi_1", PAID.minor)
    async with serving(peer), paypal_at(peer) as gateway:
        yield gateway


@asynccontextmanager
async def stripe_at(peer: StripeServer) -> AsyncIterator[StripePaymentGateway]:
    gateway = StripePaymentGateway.open(stripe_server.KEY, base_url=peer.base_url, timeout_seconds=0.5)
    try:
        yield gateway
    finally:
        await gateway.close()


@asynccontextmanager
async def paypal_at(peer: PayPalServer) -> AsyncIterator[PayPalPaymentGateway]:
    gateway = PayPalPaymentGateway.open(
        peer.base_url, client_id=paypal_server.CLIENT_ID, secret=paypal_server.SECRET, is_live=False,
        timeout_seconds=0.5,
    )  # fmt: skip
    try:
        yield gateway
    finally:
        await gateway.close()


@pytest.fixture(params=[ledger, fake, stripe, paypal])
async def gateway(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[PaymentGateway]:
    make: Make = request.param
    async with make(tmp_path) as made:
        yield made


@pytest.fixture
async def stripe_peer() -> AsyncIterator[StripeServer]:
    async with serving(StripeServer()) as peer:
        peer.add("pi_1", PAID.minor)
        yield peer


@pytest.fixture
async def paypal_peer() -> AsyncIterator[PayPalServer]:
    async with serving(PayPalServer()) as peer:
        peer.add("pi_1", PAID.minor)
        yield peer


def order(minor: int = 1_000, *, action: ActionId | None = None, generation: int = 1, currency: str = "EUR",
          payment: str = "pi_1") -> RefundOrder:  # fmt: skip
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
    assert isinstance(await gateway.refund(order(1)), Refused)


@pytest.mark.parametrize("bad", [order(currency="USD"), order(payment="pi_2"), order(0), order(-5)])
async def test_what_makes_no_sense_is_refused(gateway: PaymentGateway, bad: RefundOrder) -> None:
    assert isinstance(await gateway.refund(bad), Refused)


async def test_a_refund_is_found_by_its_action_whatever_the_key(gateway: PaymentGateway) -> None:
    action = ActionId(new_id())
    assert await gateway.find("pi_1", action) == Absent()
    booked = await gateway.refund(order(action=action, generation=3))
    assert isinstance(booked, Receipt)
    assert await gateway.find("pi_1", action) == booked
    assert await gateway.find("pi_1", ActionId(new_id())) == Absent()


async def test_nothing_is_found_of_a_payment_that_is_not_there(gateway: PaymentGateway) -> None:
    assert await gateway.find("pi_2", ActionId(new_id())) == Absent()


async def test_a_test_gateway_says_so(gateway: PaymentGateway) -> None:
    assert not gateway.live


async def test_the_ledger_survives_being_opened_again(tmp_path: Path) -> None:
    one = order(4_000)
    async with ledger(tmp_path) as gateway:
        first = await gateway.refund(one)
    again = LedgerPaymentGateway(tmp_path / "ledger.db")
    assert await again.refund(one) == first
    assert await again.find("pi_1", one.action) == first
    assert isinstance(await again.refund(order(2_000)), Refused)


async def test_what_was_refunded_before_counts(tmp_path: Path) -> None:
    gateway = LedgerPaymentGateway(tmp_path / "ledger.db")
    await gateway.record([Payment("pay-9", PAID, Money(minor=4_500, currency="EUR"))])
    assert isinstance(await gateway.refund(order(501, payment="pay-9")), Refused)
    assert isinstance(await gateway.refund(order(500, payment="pay-9")), Receipt)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(amounts=st.lists(st.integers(1, 3_000), max_size=6))
async def test_no_sequence_of_refunds_exceeds_what_was_paid(
    amounts: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    for make in (ledger, fake, stripe, paypal):
        async with make(tmp_path_factory.mktemp("ledger")) as gateway:
            booked = [amount for amount in amounts if isinstance(await gateway.refund(order(amount)), Receipt)]
            assert sum(booked) <= PAID.minor


LOST = ["fail_after", "stall_after", "drop_after"]


@pytest.mark.parametrize("fault", LOST)
async def test_what_stripe_booked_without_saying_so_is_unknown_and_then_found(
    stripe_peer: StripeServer, fault: str
) -> None:
    one = order()
    stripe_peer.faults = [StripeFault(fault)]
    async with stripe_at(stripe_peer) as gateway:
        assert isinstance(await gateway.refund(one), Unknown)
        found = await gateway.find("pi_1", one.action)
    assert isinstance(found, Receipt)
    assert [refund["id"] for refund in stripe_peer.booked] == [found.reference]


@pytest.mark.parametrize("fault", LOST)
async def test_what_paypal_booked_without_saying_so_is_unknown_and_then_found(
    paypal_peer: PayPalServer, fault: str
) -> None:
    one = order()
    paypal_peer.faults = [PayPalFault(fault)]
    async with paypal_at(paypal_peer) as gateway:
        assert isinstance(await gateway.refund(one), Unknown)
        found = await gateway.find("pi_1", one.action)
    assert isinstance(found, Receipt)
    assert [refund["id"] for refund in paypal_peer.booked] == [found.reference]


@pytest.mark.parametrize("fault", ["rate_limited", "fail_before"])
async def test_what_a_provider_did_not_do_is_unknown_and_then_absent(
    stripe_peer: StripeServer, paypal_peer: PayPalServer, fault: str
) -> None:
    stripe_peer.faults, paypal_peer.faults = [StripeFault(fault)], [PayPalFault(fault)]
    async with stripe_at(stripe_peer) as by_stripe, paypal_at(paypal_peer) as by_paypal:
        for gateway in (by_stripe, by_paypal):
            one = order()
            assert isinstance(await gateway.refund(one), Unknown)
            assert await gateway.find("pi_1", one.action) == Absent()


async def test_stripe_replays_a_stored_500_so_the_list_is_what_counts(stripe_peer: StripeServer) -> None:
    one = order()
    stripe_peer.faults = [StripeFault.FAIL_AFTER]
    async with stripe_at(stripe_peer) as gateway:
        assert isinstance(await gateway.refund(one), Unknown)
        assert isinstance(await gateway.refund(one), Unknown)
        assert isinstance(await gateway.find("pi_1", one.action), Receipt)
    assert len(stripe_peer.booked) == 1


async def test_stripe_forgets_a_key_after_a_day_but_not_the_refund(stripe_peer: StripeServer) -> None:
    one = order(1_000)
    async with stripe_at(stripe_peer) as gateway:
        first = await gateway.refund(one)
        stripe_peer.now += stripe_server.KEY_LIFETIME
        assert await gateway.find("pi_1", one.action) == first
        # What would come of repeating it blindly, which nothing here does: a second refund.
        assert await gateway.refund(one) != first
    assert len(stripe_peer.booked) == 2


async def test_paypal_refuses_the_same_action_even_when_its_request_id_is_forgotten(paypal_peer: PayPalServer) -> None:
    one = order(1_000)
    async with paypal_at(paypal_peer) as gateway:
        first = await gateway.refund(one)
        paypal_peer.now += paypal_server.ID_LIFETIME
        assert isinstance(await gateway.refund(one), Unknown)
        assert await gateway.find("pi_1", one.action) == first
    assert len(paypal_peer.booked) == 1


async def test_a_refund_is_found_on_stripes_last_page(stripe_peer: StripeServer) -> None:
    stripe_peer.page = 2
    async with stripe_at(stripe_peer) as gateway:
        orders = [order(10) for _ in range(7)]
        booked = [await gateway.refund(each) for each in orders]
        assert [await gateway.find("pi_1", each.action) for each in orders] == booked


async def test_a_refund_that_failed_afterwards_is_neither_there_nor_absent(
    stripe_peer: StripeServer, paypal_peer: PayPalServer
) -> None:
    one, two = order(), order()
    async with stripe_at(stripe_peer) as by_stripe, paypal_at(paypal_peer) as by_paypal:
        await by_stripe.refund(one)
        stripe_peer.failed(stripe_peer.booked[0])
        assert isinstance(await by_stripe.find("pi_1", one.action), Refused)
        await by_paypal.refund(two)
        paypal_peer.booked[0]["status"] = "FAILED"
        assert isinstance(await by_paypal.find("pi_1", two.action), Refused)


async def test_a_capture_without_its_order_is_unknown_and_never_absent(paypal_peer: PayPalServer) -> None:
    paypal_peer.captures["pi_1"].order_id = None
    async with paypal_at(paypal_peer) as gateway:
        assert isinstance(await gateway.find("pi_1", ActionId(new_id())), Unknown)


async def test_a_pending_refund_has_a_receipt(stripe_peer: StripeServer, paypal_peer: PayPalServer) -> None:
    stripe_peer.faults, paypal_peer.faults = [StripeFault.PENDING], [PayPalFault.PENDING]
    async with stripe_at(stripe_peer) as by_stripe, paypal_at(paypal_peer) as by_paypal:
        assert isinstance(await by_stripe.refund(order()), Receipt)
        assert isinstance(await by_paypal.refund(order()), Receipt)


async def test_a_charge_can_be_named_in_place_of_its_payment_intent(stripe_peer: StripeServer) -> None:
    one = order(payment="ch_1")
    async with stripe_at(stripe_peer) as gateway:
        booked = await gateway.refund(one)
        assert await gateway.find("ch_1", one.action) == await gateway.find("pi_1", one.action) == booked


async def test_a_wrong_key_is_no_final_no_and_is_not_told(
    stripe_peer: StripeServer, paypal_peer: PayPalServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = ("sk_test_51wrongwrongwrong", "not-the-paypal-secret")
    by_stripe = StripePaymentGateway.open(secrets[0], base_url=stripe_peer.base_url)
    by_paypal = PayPalPaymentGateway.open(
        paypal_peer.base_url, client_id=paypal_server.CLIENT_ID, secret=secrets[1], is_live=False
    )
    told = [str(await gateway.refund(order())) + repr(gateway) for gateway in (by_stripe, by_paypal)]
    assert all(answer.startswith("Unknown(") for answer in told)
    for secret in secrets:
        assert secret not in "".join(told) + caplog.text
    await by_stripe.close()
    await by_paypal.close()


async def test_keys_are_never_logged(
    stripe_peer: StripeServer, paypal_peer: PayPalServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    stripe_peer.faults, paypal_peer.faults = [StripeFault.FAIL_BEFORE], [PayPalFault.FAIL_BEFORE]
    async with stripe_at(stripe_peer) as by_stripe, paypal_at(paypal_peer) as by_paypal:
        for gateway in (by_stripe, by_paypal):
            for one in (order(), order(), order(payment="pi_2")):
                await gateway.refund(one)
                await gateway.find("pi_1", one.action)
    assert caplog.records
    for secret in (stripe_server.KEY, paypal_server.SECRET, *paypal_peer.tokens):
        assert secret not in caplog.text


async def test_one_token_serves_many_calls_and_a_dead_one_is_renewed(paypal_peer: PayPalServer) -> None:
    async with paypal_at(paypal_peer) as gateway:
        for _ in range(3):
            assert isinstance(await gateway.refund(order(10)), Receipt)
        assert len(paypal_peer.tokens) == 1
        paypal_peer.tokens.clear()
        assert isinstance(await gateway.refund(order(10)), Receipt)
    assert len(paypal_peer.booked) == 4


@pytest.mark.parametrize(
    ("key", "live"), [("sk_test_x", False), ("rk_test_x", False), ("sk_live_x", True), ("rk_live_x", True)]
)
def test_the_key_says_whether_it_is_live(key: str, live: bool) -> None:  # noqa: FBT001 - a table's column
    assert StripePaymentGateway.open(key).live is live


@pytest.mark.parametrize("key", ["pk_live_x", "whsec_x", "", "sk_x"])
def test_a_key_of_no_known_kind_is_refused(key: str) -> None:
    with pytest.raises(SupportError, match="SUPPORT_STRIPE_KEY"):
        StripePaymentGateway.open(key)


@pytest.mark.parametrize(
    ("minor", "currency", "units", "value"),
    [(1_999, "EUR", 1_999, "19.99"), (5, "USD", 5, "0.05"), (1_500, "JPY", 1_500, "1500"), (500, "ISK", 50_000, "500"),
     (700, "UGX", 70_000, "700"), (12_340, "KWD", 12_340, "12.340"), (12_345, "KWD", None, "12.345"),
     (150_000, "HUF", 150_000, "1500"), (150_050, "HUF", 150_050, None), (2_000, "MGA", 20, "20.00"),
     (2_050, "MGA", None, "20.50"), (0, "EUR", None, None), (-1, "EUR", None, None)],
)  # fmt: skip
def test_amounts_are_written_as_each_provider_counts(
    minor: int, currency: str, units: int | None, value: str | None
) -> None:
    amount = Money(minor=minor, currency=currency)
    assert (in_stripe_units(amount), as_paypal_value(amount)) == (units, value)
