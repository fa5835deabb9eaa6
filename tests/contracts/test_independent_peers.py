"""The same gateways against servers that others wrote; skipped until `make peers` has installed them."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from approvals.adapters.mail.dkim import DkimSigner
from approvals.adapters.mail.smtp import MailSecurity, SmtpMailTransport
from approvals.adapters.payments.stripe import StripePaymentGateway
from approvals.ports import Absent, Letter, Receipt, RefundOrder, Refused
from support_agents.domain.ids import ActionId, new_id
from support_agents.domain.money import Money
from tests.peers.independent import STRIPE_KEY, WHY_NOT, StripeMock, maildev, stripe_mock

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "installed")]
CONTENT = b"From: help@shop.example\r\nTo: anna@example.com\r\nSubject: Hi\r\n\r\nDear Anna\r\n"


@pytest.fixture
def mock() -> Iterator[StripeMock]:
    with stripe_mock() as made:
        yield made


def order(payment: str, minor: int) -> RefundOrder:
    action = ActionId(new_id())
    return RefundOrder(f"{action}.1", action, payment, Money(minor=minor, currency="EUR"))


async def test_stripes_independent_mock_agrees_with_ours(mock: StripeMock) -> None:
    gateway, payment = StripePaymentGateway.open(STRIPE_KEY, base_url=mock.url), mock.charge(5_000)
    one = order(payment, 3_000)
    assert await gateway.find(payment, one.action) == Absent()
    booked = await gateway.refund(one)
    assert isinstance(booked, Receipt)
    assert await gateway.refund(one) == booked
    changed = RefundOrder(one.key, one.action, payment, Money(minor=10, currency="EUR"))
    assert isinstance(await gateway.refund(changed), Refused)
    assert await gateway.find(payment, one.action) == booked
    assert isinstance(await gateway.refund(order(payment, 2_001)), Refused)
    assert isinstance(await gateway.refund(order(payment, 2_000)), Receipt)
    assert isinstance(await gateway.refund(order(payment, 1)), Refused)
    await gateway.close()


@pytest.fixture
def key(tmp_path: Path) -> Path:
    made = tmp_path / "key.pem"
    words = [shutil.which("openssl") or "openssl", "genrsa", "-traditional", "-out", str(made), "2048"]
    subprocess.run(words, check=True, capture_output=True)
    return made


async def test_maildev_keeps_the_bytes_that_we_signed(key: Path) -> None:
    async def yes() -> bool:
        return True

    with maildev() as server:
        signer = DkimSigner.load(key, selector="mail", domain="shop.example")
        transport = SmtpMailTransport("127.0.0.1", server.port, security=MailSecurity.NONE, signer=signer)
        letter = Letter("help@shop.example", ("anna@example.com",), CONTENT)
        assert isinstance(await transport.send(letter, before_data=yes), Receipt)
        (kept,) = server.taken
    assert kept.recipients == ("anna@example.com",)
    assert kept.content.rstrip().endswith(CONTENT.rstrip())
    assert b"DKIM-Signature:" in kept.content
