"""The product with a payment provider, a mail server and an operator around it, driven until all is settled."""

import json
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from psycopg import sql
from sqlalchemy import text

from tests.fixtures.database import _administer
from tests.peers import paypal_server, stripe_server, zendesk_server
from tests.peers.beside import beside
from tests.peers.paypal_server import PayPalFault, PayPalServer
from tests.peers.product import OPERATOR, PASSWORD, WHSEC, ZENDESK_SECRET, Product, ServerDiedError, product
from tests.peers.serving import serving
from tests.peers.smtp_sink import SmtpSink, listening
from tests.peers.stripe_server import StripeFault, StripeServer
from tests.peers.zendesk_server import ZendeskServer
from tests.soak.accounts import reader

SHOP = Path(__file__).parents[3] / "api" / "demo" / "shop"
PAYMENT, PAID, DUE = "PAY-539737-D", 6_490, 6_490
SECONDS = 240.0
SETTLED = {"succeeded", "failed", "cancelled", "superseded"}
PROVIDERS = ("stripe", "paypal")
TICKET = 7_001  # in the helpdesk
UNAPPROVED = (
    "SELECT count(*) FROM executions e WHERE NOT EXISTS (SELECT 1 FROM decisions d WHERE"
    " d.request_id = e.request_id AND d.digest = e.digest AND d.verdict = 'approve')"
)

# Waits short enough for a test; a reconciler's question comes after a call's limit and the margin, as in earnest.
QUICK = {
    "SUPPORT_PORT": "0",
    "SUPPORT_MODE": "reply",
    "SUPPORT_STANDARD_WEBHOOK_SECRETS": WHSEC,
    "SUPPORT_ORDERS_CSV": str(SHOP / "orders.csv"),
    "SUPPORT_POLICY": str(SHOP / "policy.yaml"),
    "SUPPORT_ZENDESK_WEBHOOK_SECRETS": ZENDESK_SECRET,
    "SUPPORT_ZENDESK_EMAIL": zendesk_server.EMAIL,
    "SUPPORT_ZENDESK_TOKEN": zendesk_server.TOKEN,
    "SUPPORT_ZENDESK_API_USER_ID": str(zendesk_server.API_USER),
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


@dataclass(frozen=True)
class Furnished:
    """A data folder, with its database unless that is a file in it, to be copied for each test."""

    folder: Path
    database: str


@dataclass
class World:
    """The product and everything outside that it can change."""

    product: Product
    mail: SmtpSink
    provider: StripeServer | PayPalServer
    desk: ZendeskServer
    database: str
    by_zendesk: bool = False
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

    def send(self) -> str:
        """Deliver the customer's message; returns our ticket."""
        if not self.by_zendesk:
            return str(self.product.webhook(self.body)["ticket_id"])
        ticket = {**self.body["ticket"], "id": str(TICKET)}
        return str(self.product.zendesk_webhook({**self.body, "ticket": ticket})["ticket_id"])

    @property
    def comments(self) -> int:
        """How many comments of ours the customer sees in the helpdesk."""
        return sum(each["author_id"] == zendesk_server.API_USER for each in self.desk.tickets[TICKET].comments)

    def back_up(self) -> Path | str:
        """Copy the database of a server that does not run, as its owner would; returns where the copy is."""
        if self.database.startswith("postgres"):
            return copied(self.database)
        path = self.product.folder.parent / "backup.db"
        live = sqlite3.connect(self.product.folder / "support.db")
        with closing(live), closing(sqlite3.connect(path)) as copy:
            live.backup(copy)
        return path

    def restore(self, backup: Path | str) -> None:
        """Put a backup in the database's place."""
        if isinstance(backup, str):
            dropped(self.database)
            copied(backup, self.database)
            dropped(backup)
            return
        for name in ("support.db", "support.db-wal", "support.db-shm"):
            (self.product.folder / name).unlink(missing_ok=True)
        shutil.copy(backup, self.product.folder / "support.db")

    def tell(self, event: dict[str, Any]) -> int:
        """Deliver a provider's event, signed; returns the HTTP status."""
        if isinstance(self.provider, StripeServer):
            raw, headers = stripe_server.signed(event)
            return self.product.raw("/webhooks/stripe", raw, headers)
        raw = json.dumps(event).encode()
        return self.product.raw("/webhooks/paypal", raw, self.provider.signed(raw))


def furnish(folder: Path, database: str) -> Furnished:
    """Make a data folder with the shop's articles and one operator; an empty `database` is a file in it."""
    environment = {"SUPPORT_ANCHOR_PATH": str(folder.parent / "anchor.json")}
    with product(folder, environment | _stored(database)) as made:
        made.command("kb", "sync", str(SHOP / "articles"))
        made.command("operators", "add", OPERATOR, "--role", "admin", "--password-stdin", stdin=PASSWORD)
    return Furnished(folder, database)


@contextmanager
def world_of(provider: str, furnished: Furnished, folder: Path) -> Iterator[World]:
    """A world with this provider; the anchor lies beside the folder, as it should."""
    data = Path(shutil.copytree(furnished.folder, folder / "data"))
    shutil.copy(furnished.folder.parent / "anchor.json", folder / "anchor.json")
    mail, desk = SmtpSink(), ZendeskServer()
    peer: StripeServer | PayPalServer = StripeServer() if provider == "stripe" else PayPalServer()
    peer.add(PAYMENT, PAID)
    desk.add(TICKET, refund_message()["ticket"]["requester"]["email"])
    with (
        beside(listening(mail)),
        beside(serving(peer)),
        beside(zendesk_server.serving(desk)),
        _copy_of(furnished.database) as database,
    ):
        environment = {
            **QUICK,
            **_paying(peer),
            **_stored(database),
            "SUPPORT_SMTP_PORT": str(mail.port),
            "SUPPORT_ANCHOR_PATH": str(folder / "anchor.json"),
            "SUPPORT_ZENDESK_BASE_URL": desk.base_url,
        }
        with product(data, environment) as made:
            url = database or f"sqlite+aiosqlite:///{data / 'support.db'}"
            yield World(made, mail, peer, desk, url, body=refund_message())


def drive(world: World, until: Callable[[World], bool] | None = None) -> None:
    """Be the customer and the operator until all is settled, or `until` says so; starts again what was killed."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        try:
            world.ticket = world.ticket or world.send()
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


def kill_during_the_call(world: World, reached: Callable[[World], bool] | None = None) -> None:
    """Drive until somebody outside – the payment provider – holds a call, then kill the product with SIGKILL."""
    drive(world, reached or (lambda seen: seen.provider.reached.is_set()))
    world.kill()


def assert_one_refund(world: World) -> None:
    """One refund of the whole amount, nothing unapproved, the reply at most once."""
    assert [_minor(refund["amount"]) for refund in world.provider.booked] == [DUE]
    assert len(world.mail.taken) + world.comments <= 1
    world.product.stop()
    books = reader(world.database)
    with books.connect() as db:
        unapproved = db.execute(text(UNAPPROVED)).scalar_one()
        refunds = db.execute(text("SELECT status FROM executions WHERE kind = 'issue_refund'")).scalars().all()
    books.dispose()
    assert unapproved == 0
    assert refunds == ["succeeded"]


def refund_message() -> Mapping[str, Any]:
    """The demo's first message: a returned lantern, refund due."""
    first = (SHOP / "messages.jsonl").read_text(encoding="utf-8").splitlines()[0]
    body: Mapping[str, Any] = json.loads(first.replace("{now}", datetime.now(UTC).isoformat()))["body"]
    return body


def _stand(timeline: Any) -> dict[str, str]:
    return {each["kind"]: each["status"] for each in timeline["executions"]}


def _minor(amount: Any) -> int:
    return amount if isinstance(amount, int) else paypal_server.minor(amount["value"], amount["currency_code"]) or 0


def copied(url: str, to: str = "") -> str:
    """Copy a PostgreSQL database that nobody uses; returns where to."""
    made = to or f"{url}_{uuid4().hex[:8]}"
    _administer(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(_name(made), _name(url)))
    return made


def dropped(url: str) -> None:
    """Drop a PostgreSQL database, whoever uses it."""
    _administer(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(_name(url)))


@contextmanager
def _copy_of(database: str) -> Iterator[str]:
    """A copy of a furnished database; of none, none."""
    if not database:
        yield ""
        return
    made = copied(database)
    try:
        yield made
    finally:
        dropped(made)


def _name(url: str) -> sql.Identifier:
    return sql.Identifier(url.rpartition("/")[2])


def _stored(database: str) -> dict[str, str]:
    return {"SUPPORT_DATABASE_URL": database} if database else {}


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
