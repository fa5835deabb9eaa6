"""The product with a payment provider, a mail server and an operator around it, driven until all is settled."""

import json
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from tests.peers import paypal_server, stripe_server
from tests.peers.beside import beside
from tests.peers.paypal_server import PayPalFault, PayPalServer
from tests.peers.product import OPERATOR, PASSWORD, WHSEC, Product, ServerDiedError, product
from tests.peers.serving import serving
from tests.peers.smtp_sink import SmtpSink, listening
from tests.peers.stripe_server import StripeFault, StripeServer

SHOP = Path(__file__).parents[3] / "api" / "demo" / "shop"
PAYMENT, PAID, DUE = "PAY-539737-D", 6_490, 6_490
SECONDS = 240.0
SETTLED = {"succeeded", "failed", "cancelled", "superseded"}
PROVIDERS = ("stripe", "paypal")

# Waits short enough for a test; a reconciler's question comes after a call's limit and the margin, as in earnest.
QUICK = {
    "SUPPORT_PORT": "0",
    "SUPPORT_MODE": "reply",
    "SUPPORT_STANDARD_WEBHOOK_SECRETS": WHSEC,
    "SUPPORT_ORDERS_CSV": str(SHOP / "orders.csv"),
    "SUPPORT_POLICY": str(SHOP / "policy.yaml"),
    "SUPPORT_SMTP_HOST": "127.0.0.1",
    "SUPPORT_SMTP_STARTTLS": "false",
    "SUPPORT_SMTP_FROM_ADDRESS": "support@shop.example",
    "SUPPORT_UNDO_REPLY_SECONDS": "0.2",
    "SUPPORT_UNDO_REFUND_SECONDS": "0.2",
    "SUPPORT_DEADLINE_SECONDS": "12",
    "SUPPORT_RESUMED_SECONDS": "10",
    "SUPPORT_CALL_SECONDS": "4",
    "SUPPORT_MAIL_SECONDS": "10",
    "SUPPORT_CALL_MARGIN_SECONDS": "4",  # half of it is for a commit on a busy machine, or nobody is called
    "SUPPORT_STAGES__UNDERSTANDING": "5",
    "SUPPORT_STAGES__RETRIEVAL": "5",
    "SUPPORT_STAGES__DRAFTING": "8",
}


@dataclass
class World:
    """The product and everything outside that it can change."""

    product: Product
    mail: SmtpSink
    provider: StripeServer | PayPalServer
    ticket: str = ""
    killed: int = 0
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def provider_name(self) -> str:
        """As settings and addresses name it."""
        return "stripe" if isinstance(self.provider, StripeServer) else "paypal"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no log may hold."""
        if isinstance(self.provider, StripeServer):
            return stripe_server.KEY, stripe_server.WEBHOOK_SECRET
        return paypal_server.SECRET, *self.provider.tokens

    def fault(self, name: str) -> None:
        """Let the next refund go wrong at the provider."""
        if isinstance(self.provider, StripeServer):
            self.provider.faults.append(StripeFault(name))
        else:
            self.provider.faults.append(PayPalFault(name))

    def kill(self) -> None:
        """End the product with SIGKILL, and wait until it is gone."""
        assert self.product.process is not None
        self.product.process.kill()
        self.product.process.wait(10)
        self.product.stop()

    def executions(self) -> dict[str, str]:
        """Status by kind of action, as the product itself tells in one answer."""
        return _stand(self._timeline) if self.ticket else {}

    def at_rest(self) -> bool:
        """Whether refund and reply have come to an end that nothing but a person changes, by one look at both.

        Doubt that can be resolved is; what cannot is in front of a person, and only then it has come to an end.
        """
        if not self.ticket:
            return False
        timeline = self._timeline
        found = _stand(timeline)
        given_up = (timeline["ticket"]["needs_person_reason"] or "").startswith("in doubt: ")
        reply = found.get("send_reply")
        return found.get("issue_refund") in SETTLED and (reply in SETTLED or (reply == "in_doubt" and given_up))

    @property
    def _timeline(self) -> Any:
        return self.product.get(f"/v1/tickets/{self.ticket}")

    def tell(self, event: dict[str, Any]) -> int:
        """Deliver a provider's event, signed; returns the HTTP status."""
        if isinstance(self.provider, StripeServer):
            raw, headers = stripe_server.signed(event)
            return self.product.raw("/webhooks/stripe", raw, headers)
        raw = json.dumps(event).encode()
        return self.product.raw("/webhooks/paypal", raw, self.provider.signed(raw))


def furnish(folder: Path) -> Path:
    """Make a data folder with the shop's articles and one operator."""
    with product(folder, {"SUPPORT_ANCHOR_PATH": str(folder.parent / "anchor.json")}) as made:
        made.command("kb", "sync", str(SHOP / "articles"))
        made.command("operators", "add", OPERATOR, "--role", "admin", "--password-stdin", stdin=PASSWORD)
    return folder


@contextmanager
def world_of(provider: str, furnished: Path, folder: Path) -> Iterator[World]:
    """A world with this provider; the anchor lies beside the folder, as it should."""
    data = Path(shutil.copytree(furnished, folder / "data"))
    shutil.copy(furnished.parent / "anchor.json", folder / "anchor.json")
    mail = SmtpSink()
    peer: StripeServer | PayPalServer = StripeServer() if provider == "stripe" else PayPalServer()
    peer.add(PAYMENT, PAID)
    with beside(listening(mail)), beside(serving(peer)):
        environment = {
            **QUICK,
            **_paying(peer),
            "SUPPORT_SMTP_PORT": str(mail.port),
            "SUPPORT_ANCHOR_PATH": str(folder / "anchor.json"),
        }
        with product(data, environment) as made:
            yield World(made, mail, peer, body=refund_message())


def drive(world: World, until: Callable[[World], bool] | None = None) -> None:
    """Be the customer and the operator until all is settled, or `until` says so; starts again what was killed."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        try:
            world.ticket = world.ticket or str(world.product.webhook(world.body)["ticket_id"])
            world.product.sign_in()
            if (until or World.at_rest)(world):
                return
            approve_all(world.product)
            time.sleep(0.1)
        except ServerDiedError:
            assert world.product.was_killed(), world.product.log()[-4_000:]
            world.killed += 1
            world.product.start()
    raise TimeoutError(json.dumps(world.product.get(f"/v1/tickets/{world.ticket}"), indent=1)[-6_000:])


def refund_is(*statuses: str) -> Callable[[World], bool]:
    """Whether the refund has come this far."""
    return lambda world: world.executions().get("issue_refund") in statuses


def approve_all(running: Product) -> None:
    """Approve whatever is pending; what waits for something else is tried again later."""
    for request in running.get("/v1/approvals?status=pending")["items"]:
        try:
            running.post(
                f"/v1/approvals/{request['id']}/decisions", {"decision": "approve", "digest": request["digest"]}
            )
        except httpx.HTTPStatusError as refused:
            if refused.response.status_code != httpx.codes.CONFLICT:
                raise


def kill_during_the_call(world: World) -> None:
    """Drive until the provider holds a call, then kill the product with SIGKILL."""
    drive(world, lambda seen: seen.provider.reached.is_set())
    world.kill()


def assert_one_refund(world: World) -> None:
    """One refund of the whole amount, nothing unapproved, the reply at most once."""
    assert [_minor(refund["amount"]) for refund in world.provider.booked] == [DUE]
    assert len(world.mail.taken) <= 1
    world.product.stop()
    with sqlite3.connect(world.product.folder / "support.db") as db:
        unapproved = db.execute(
            "SELECT count(*) FROM executions e WHERE NOT EXISTS (SELECT 1 FROM decisions d WHERE"
            " d.request_id = e.request_id AND d.digest = e.digest AND d.verdict = 'approve')"
        ).fetchone()[0]
        refunds = db.execute("SELECT status FROM executions WHERE kind = 'issue_refund'").fetchall()
    assert unapproved == 0
    assert refunds == [("succeeded",)]


def refund_message() -> Mapping[str, Any]:
    """The demo's first message: a returned lantern, refund due."""
    first = (SHOP / "messages.jsonl").read_text(encoding="utf-8").splitlines()[0]
    body: Mapping[str, Any] = json.loads(first.replace("{now}", datetime.now(UTC).isoformat()))["body"]
    return body


def _stand(timeline: Any) -> dict[str, str]:
    return {each["kind"]: each["status"] for each in timeline["executions"]}


def _minor(amount: Any) -> int:
    return amount if isinstance(amount, int) else paypal_server.minor(amount["value"], amount["currency_code"]) or 0


def _paying(peer: StripeServer | PayPalServer) -> dict[str, str]:
    if isinstance(peer, StripeServer):
        return {
            "SUPPORT_PAYMENTS": "stripe",
            "SUPPORT_STRIPE_KEY": stripe_server.KEY,
            "SUPPORT_STRIPE_BASE_URL": peer.base_url,
            "SUPPORT_STRIPE_WEBHOOK_SECRETS": stripe_server.WEBHOOK_SECRET,
        }
    return {
        "SUPPORT_PAYMENTS": "paypal",
        "SUPPORT_PAYPAL_CLIENT_ID": paypal_server.CLIENT_ID,
        "SUPPORT_PAYPAL_SECRET": paypal_server.SECRET,
        "SUPPORT_PAYPAL_BASE_URL": peer.base_url,
        "SUPPORT_PAYPAL_WEBHOOK_ID": paypal_server.WEBHOOK_ID,
    }
