"""Every service of the compose files by its exact command line, as processes here, and one journey through them."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from psycopg import sql

from tests.fixtures.brokers import broker_address, forget
from tests.fixtures.database import POSTGRES
from tests.fixtures.installation import event
from tests.integration.distributed.conftest import SHOP, _administer, _drop, _url
from tests.peers.beside import beside
from tests.peers.compose import Composed, Container, composed, services
from tests.peers.product import OPERATOR, PASSWORD, WHSEC, signed
from tests.peers.qdrant_server import QdrantPeer
from tests.peers.serving import serving
from tests.peers.smtp_sink import SmtpSink, listening

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

SECONDS = 300.0
GIVEN = {
    "POSTGRES_PASSWORD": "a-password-of-the-database",
    "SUPPORT_SECRET_KEY": "a secret key for tests only, the same for every service",
    "SUPPORT_MODE": "reply",
    "SUPPORT_STANDARD_WEBHOOK_SECRETS": WHSEC,
}
# What is tested is that the services work together, not how fast a busy machine thinks.
UNHURRIED = {
    "SUPPORT_DEADLINE_SECONDS": "45",
    "SUPPORT_RESUMED_SECONDS": "40",
    "SUPPORT_LEASE_SECONDS": "90",
    "SUPPORT_STAGES__UNDERSTANDING": "15",
    "SUPPORT_STAGES__RETRIEVAL": "15",
    "SUPPORT_STAGES__DRAFTING": "20",
    "SUPPORT_UNDO_REPLY_SECONDS": "0.2",
}
READY = {"worker": "worker_ready", "relay": "ready", "scheduler": "ready"}


def until(condition: Callable[[], Any], what: Callable[[], str] = str) -> Any:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.1)
    pytest.fail(f"not within {SECONDS} s: {what()}")


@dataclass
class Run:
    """The services of a file, and the mail that they sent."""

    composed: Composed
    mail: SmtpSink

    def start(self, *names: str) -> None:
        """Start services and wait until each replica says that it is ready."""
        for name in names:
            self.composed.begin(name)
        for each in self.composed.running:
            until(partial(self._is_ready, each), partial(self._said, each))

    def _said(self, each: Container) -> str:
        return each.said[-3_000:]

    def _is_ready(self, each: Container) -> bool:
        assert each.process.poll() is None, each.said[-3_000:]
        return READY[each.service] in each.said if each.service in READY else each.answers()

    def log(self) -> str:
        """The end of what each replica wrote."""
        return "".join(f"\n--- {each.service}\n{self._said(each)}" for each in self.composed.running)

    def urls(self) -> list[str]:
        return [each.url for each in self.composed.running if each.url]


@pytest.fixture(params=["redis", pytest.param("rabbitmq", marks=pytest.mark.long)])
def distributed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Run]:
    """compose.distributed.yaml, its database, broker, Qdrant and mail server replaced by ones of this machine."""
    broker, prefix, mail, qdrant = (
        broker_address(request.param),
        f"composed-{uuid4().hex[:8]}",
        SmtpSink(),
        QdrantPeer(),
    )
    if not POSTGRES:
        pytest.skip("needs SUPPORT_TEST_POSTGRES_URL")
    name = f"support_composed_{uuid4().hex[:10]}"
    password = f"{GIVEN['POSTGRES_PASSWORD']}@postgresql:5432/support"
    _administer(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    with ExitStack() as stack:
        stack.callback(_drop, name)
        stack.callback(forget, broker, prefix)
        stack.enter_context(beside(listening(mail)))
        stack.enter_context(beside(serving(qdrant)))
        here = {
            f"postgresql+psycopg://support:{password}": _url(name),
            "redis://redis:6379/0": broker,
            "http://qdrant:6333": qdrant.base_url,
            "/anchor/": f"{tmp_path}/",
        }
        more = {
            **UNHURRIED,
            "SUPPORT_BROKER_PREFIX": prefix,
            "SUPPORT_SMTP_HOST": "127.0.0.1",
            "SUPPORT_SMTP_PORT": str(mail.port),
        }
        made = composed("compose.distributed.yaml", tmp_path, given=GIVEN, here=here, more=more)
        yield Run(stack.enter_context(made), mail)


def answered(url: str, body: dict[str, Any]) -> str:
    """Send a signed message to one API; returns the ticket."""
    raw = json.dumps(body).encode()
    answer = httpx.post(f"{url}/webhooks/standard", content=raw, headers=signed(raw), timeout=120, trust_env=False)
    assert answer.status_code == httpx.codes.ACCEPTED, answer.text
    return str(answer.json()["ticket_id"])


def journey(run: Run, first: str, second: str) -> None:
    """A message at one API, its reply approved at the other, and the letter."""
    ticket = answered(first, event(text="How long do I have to return an item?", message_id="M-77", ticket_id="T-77"))
    with httpx.Client(base_url=second, timeout=120, trust_env=False) as client:
        csrf = client.post("/v1/session", json={"email": OPERATOR, "password": PASSWORD}).json()["csrf"]
        path = f"/v1/tickets/{ticket}"
        asked = until(lambda: client.get(path).json()["requests"], lambda: client.get(path).text + run.log())
        yes = {"decision": "approve", "digest": asked[0]["digest"]}
        path = f"/v1/approvals/{asked[0]['id']}/decisions"
        decided = client.post(path, json=yes, headers={"X-CSRF-Token": csrf})
        assert decided.status_code == httpx.codes.CREATED, decided.text

        def states() -> list[str]:
            return [each["status"] for each in client.get(f"/v1/tickets/{ticket}").json()["executions"]]

        until(lambda: states() == ["succeeded"], lambda: str(states()))
    assert len(run.mail.taken) == 1


def test_the_distributed_services_as_they_are_started_there(distributed: Run) -> None:
    composed = distributed.composed
    assert composed.run("migrations") == "the database is at the newest schema\n"
    composed.run("api", "kb", "sync", str(SHOP / "articles"))
    composed.run("api", "operators", "add", OPERATOR, "--role", "admin", "--password-stdin", given=PASSWORD)
    started = sorted(composed.services.keys() - {"migrations"})
    assert started == ["api", "relay", "scheduler", "worker"]
    distributed.start("scheduler", "relay", "worker", "api")
    assert len(composed.running) == 6
    first, second = distributed.urls()
    assert all(each.is_healthy() for each in composed.running if each.service == "api")
    journey(distributed, first, second)
    assert (composed.folder / "anchor.json").exists()
    assert all(each.process.poll() is None for each in composed.running)
    composed.stop()
    assert {each.process.returncode for each in composed.running} == {0}


def test_the_embedded_service_as_it_is_started_there(tmp_path: Path) -> None:
    mail = SmtpSink()
    more = UNHURRIED | {"SUPPORT_SMTP_HOST": "127.0.0.1", "SUPPORT_SMTP_STARTTLS": "false"}
    with beside(listening(mail)):
        more |= {"SUPPORT_SMTP_PORT": str(mail.port), "SUPPORT_SMTP_FROM_ADDRESS": "support@shop.example"}
        with composed("compose.yaml", tmp_path, given=GIVEN, here={}, more=more) as made:
            run = Run(made, mail)
            run.start("support-agents")
            (server,) = made.running
            assert server.is_healthy()
            data = {"SUPPORT_DATA_DIR": server.environment["SUPPORT_DATA_DIR"]}
            made.more = {**made.more, **data}
            # The sync comes last, right before the message, so that nothing here gives the index time.
            made.run(
                "support-agents", "operators", "add", OPERATOR, "--role", "admin", "--password-stdin", given=PASSWORD
            )
            (url,) = run.urls()
            assert "; the index is in step\n" in made.run("support-agents", "kb", "sync", str(SHOP / "articles"))
            journey(run, url, url)


def test_a_variable_that_the_file_insists_on_is_insisted_on() -> None:
    with pytest.raises(KeyError, match="SUPPORT_SECRET_KEY"):
        services("compose.distributed.yaml", {"POSTGRES_PASSWORD": "x"})
