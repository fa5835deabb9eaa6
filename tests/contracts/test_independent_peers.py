"""The same gateways against servers that others wrote; skipped where their node modules are not installed.

`npm install stripe-stateful-mock@0.0.16 maildev@3.0.0` in a folder, and SUPPORT_TEST_NODE_MODULES set to its
`node_modules`. The Stripe mock listens on every interface: run this inside a network namespace of its own.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from approvals.adapters.mail.dkim import DkimSigner
from approvals.adapters.mail.smtp import MailSecurity, SmtpMailTransport
from approvals.adapters.payments.stripe import StripePaymentGateway
from approvals.ports import Absent, Letter, Receipt, RefundOrder, Refused
from support_agents.domain.ids import ActionId, new_id
from support_agents.domain.money import Money

MODULES = Path(os.environ.get("SUPPORT_TEST_NODE_MODULES", "/nowhere"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not MODULES.is_dir() or shutil.which("node") is None, reason="SUPPORT_TEST_NODE_MODULES names no node_modules"
    ),
]
KEY = "sk_test_independent"
CONTENT = b"From: help@shop.example\r\nTo: anna@example.com\r\nSubject: Hi\r\n\r\nDear Anna\r\n"


@contextmanager
def node(*words: str, port: int, **environment: str) -> Iterator[None]:
    """Run a program of node until left; wait until it takes connections."""
    process = subprocess.Popen(
        [shutil.which("node") or "node", *words],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(300):
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        else:
            pytest.fail(f"{words[0]} does not listen")
        yield
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def stripe_url(unused_tcp_port: int) -> Iterator[str]:
    program = str(MODULES / "stripe-stateful-mock" / "dist" / "cli.js")
    with node(program, port=unused_tcp_port, PORT=str(unused_tcp_port)):
        yield f"http://127.0.0.1:{unused_tcp_port}"


def charge(url: str, minor: int) -> str:
    """A payment that was made there."""
    made = httpx.post(
        f"{url}/v1/charges", data={"amount": minor, "currency": "eur", "source": "tok_visa"}, auth=(KEY, "")
    )
    assert made.status_code == 200, made.text
    return str(made.json()["id"])


def order(payment: str, minor: int) -> RefundOrder:
    action = ActionId(new_id())
    return RefundOrder(f"{action}.1", action, payment, Money(minor=minor, currency="EUR"))


async def test_stripes_independent_mock_agrees_with_ours(stripe_url: str) -> None:
    gateway, payment = StripePaymentGateway.open(KEY, base_url=stripe_url), charge(stripe_url, 5_000)
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


async def test_maildev_keeps_the_bytes_that_we_signed(unused_tcp_port_factory: Any, key: Path) -> None:
    smtp, web = unused_tcp_port_factory(), unused_tcp_port_factory()
    program = str(MODULES / "maildev" / "dist" / "bin" / "maildev.js")
    with node(program, "--smtp", str(smtp), "--web", str(web), "--ip", "127.0.0.1", port=smtp):
        signer = DkimSigner.load(key, selector="mail", domain="shop.example")
        transport = SmtpMailTransport("127.0.0.1", smtp, security=MailSecurity.NONE, signer=signer)

        async def yes() -> bool:
            return True

        letter = Letter("help@shop.example", ("anna@example.com",), CONTENT)
        assert isinstance(await transport.send(letter, before_data=yes), Receipt)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{web}", trust_env=False) as client:
            (kept,) = (await client.get("/api/email")).json()
            content = (await client.get(f"/api/email/{kept['id']}/download")).content
    assert content.rstrip().endswith(CONTENT.rstrip())
    assert b"DKIM-Signature:" in content
