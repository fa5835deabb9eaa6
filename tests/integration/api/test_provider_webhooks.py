"""Providers' webhooks through the whole server: signatures first, stored raw once, folded before the 202."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import select

from api.intake.paypal import PayPalIntake
from api.intake.provider import ProviderIntake
from api.intake.stripe import StripeIntake
from approvals.adapters.payments.paypal import PayPalPaymentGateway
from db.base import table_of
from db.models.inbox import InboxRow
from db.models.provider_events import ProviderEventRow
from support_agents.domain.ids import DEFAULT_WORKSPACE
from tests.fixtures.installation import Installation
from tests.peers import paypal_server, stripe_server
from tests.peers.paypal_server import PayPalServer
from tests.peers.serving import serving
from tests.peers.stripe_server import StripeServer

REFUND = {"id": "re_1", "object": "refund", "status": "succeeded", "payment_intent": "pi_1", "metadata": {}}


@pytest.fixture
async def paypal() -> AsyncIterator[PayPalServer]:
    async with serving(PayPalServer()) as peer:
        yield peer


@pytest.fixture
async def open_to_both(installation: Installation, paypal: PayPalServer) -> AsyncIterator[Installation]:
    """The installation with both providers' doors open."""
    gateway = PayPalPaymentGateway.open(
        paypal.base_url, client_id=paypal_server.CLIENT_ID, secret=paypal_server.SECRET, is_live=False
    )
    check = partial(gateway.verify_webhook, webhook_id=paypal_server.WEBHOOK_ID)
    intakes: dict[str, ProviderIntake] = {
        "stripe": StripeIntake((stripe_server.WEBHOOK_SECRET.encode(),), DEFAULT_WORKSPACE, live=False),
        "paypal": PayPalIntake(check, DEFAULT_WORKSPACE),
    }
    installation.app.state.container = replace(installation.container, provider_intakes=intakes)
    yield installation
    await gateway.close()


async def stored(installation: Installation) -> list[tuple[str, str, bytes | None]]:
    async with installation.container.database.read() as uow:
        rows = await uow.session.execute(
            select(ProviderEventRow.provider, ProviderEventRow.outcome, ProviderEventRow.raw).select_from(
                table_of(ProviderEventRow)
            )
        )
        return [(row[0], row[1], row[2]) for row in rows]


async def test_a_stripe_event_is_stored_raw_and_once(open_to_both: Installation) -> None:
    raw, headers = stripe_server.signed(StripeServer().event("refund.updated", REFUND))
    told = [await open_to_both.client.post("/webhooks/stripe", content=raw, headers=headers) for _ in range(2)]
    assert [(each.status_code, each.json()["duplicate"]) for each in told] == [(202, False), (202, True)]
    assert await stored(open_to_both) == [("stripe", "succeeded", raw)]


async def test_a_paypal_event_is_verified_by_paypal_and_stored_once(
    open_to_both: Installation, paypal: PayPalServer
) -> None:
    raw = json.dumps(paypal.event("PAYMENT.CAPTURE.REFUNDED", {"id": "R1", "status": "COMPLETED"}), indent=3).encode()
    headers = paypal.signed(raw)
    told = [await open_to_both.client.post("/webhooks/paypal", content=raw, headers=headers) for _ in range(2)]
    assert [(each.status_code, each.json()["duplicate"]) for each in told] == [(202, False), (202, True)]
    assert await stored(open_to_both) == [("paypal", "succeeded", raw)]


async def test_a_forged_stripe_event_is_refused(open_to_both: Installation) -> None:
    event = StripeServer().event("refund.failed", REFUND)
    old, future = datetime.now(UTC) - timedelta(minutes=6), datetime.now(UTC) + timedelta(minutes=6)
    raw, good = stripe_server.signed(event)
    attempts = [
        stripe_server.signed(event, secret="whsec_another"),
        (raw + b" ", good),
        (raw, {}),
        (raw, {"stripe-signature": "t=1,v1=zz"}),
        (raw, {"stripe-signature": good["stripe-signature"].replace("v1=", "v0=")}),
        stripe_server.signed(event, at=old),
        stripe_server.signed(event, at=future),
    ]
    for content, headers in attempts:
        answer = await open_to_both.client.post("/webhooks/stripe", content=content, headers=headers)
        assert answer.status_code == 401, headers
    assert await stored(open_to_both) == []


async def test_a_forged_paypal_event_is_refused(open_to_both: Installation, paypal: PayPalServer) -> None:
    raw = json.dumps(paypal.event("PAYMENT.CAPTURE.REFUNDED", {"id": "R1", "status": "FAILED"})).encode()
    good = paypal.signed(raw)
    attempts = [
        (raw + b" ", good),
        (raw, {}),
        (raw, good | {"paypal-transmission-sig": "other"}),
        (raw, good | {"paypal-cert-url": "https://paypal.com.evil.example/cert"}),
        (raw, good | {"paypal-cert-url": "http://api.paypal.com/cert"}),
        (raw, good | {"paypal-transmission-time": "2099-01-01T00:00:00Z"}),
        (raw, good | {"paypal-transmission-id": "unknown"}),
    ]
    for content, headers in attempts:
        answer = await open_to_both.client.post("/webhooks/paypal", content=content, headers=headers)
        assert answer.status_code == 401, headers
    assert await stored(open_to_both) == []


async def test_while_paypal_cannot_be_asked_nothing_is_acknowledged(
    open_to_both: Installation, paypal: PayPalServer
) -> None:
    paypal.verifies = False
    raw = json.dumps(paypal.event("PAYMENT.CAPTURE.REFUNDED", {"id": "R1", "status": "COMPLETED"})).encode()
    answer = await open_to_both.client.post("/webhooks/paypal", content=raw, headers=paypal.signed(raw))
    assert answer.status_code == 503
    assert await stored(open_to_both) == []


async def test_a_signed_body_of_another_shape_is_kept_and_acknowledged(open_to_both: Installation) -> None:
    raw, headers = stripe_server.signed({"something": "else"})
    answer = await open_to_both.client.post("/webhooks/stripe", content=raw, headers=headers)
    assert answer.status_code == 202
    async with open_to_both.container.database.read() as uow:
        kept = (await uow.session.execute(select(InboxRow.source, InboxRow.raw))).all()
    assert [tuple(row) for row in kept] == [("stripe", raw)]


@pytest.mark.parametrize("source", ["stripe", "paypal"])
async def test_a_provider_without_a_secret_does_not_exist(installation: Installation, source: str) -> None:
    assert (await installation.client.post(f"/webhooks/{source}", content=b"{}")).status_code == 404
