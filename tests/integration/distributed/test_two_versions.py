"""An upgrade without a stop: the version before the newest migration and the present one work on the same tickets."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from tests.fixtures.brokers import broker_address, forget
from tests.fixtures.database import POSTGRES
from tests.integration.distributed.conftest import SHOP, _administer, _drop, _environment, _url
from tests.integration.distributed.test_house import message, until
from tests.peers.beside import beside
from tests.peers.old_tree import OldTree, newest, old_tree
from tests.peers.processes import Processes, processes
from tests.peers.product import OPERATOR, PASSWORD
from tests.peers.smtp_sink import SmtpSink, listening

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

TICKETS = 30
KINDS = ("scheduler", "relay", "worker")
PAID_BACK = "with what is refunded or being refunded already it would be more than was paid"
ENDED = ("succeeded", "failed", "cancelled", "superseded")


@dataclass
class Both:
    """The older processes, which run, the present ones, which do not yet, and what they share."""

    old: Processes
    new: Processes
    mail: SmtpSink
    url: str

    def rows(self, query: str, *given: object) -> list[dict[str, Any]]:
        with psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True, row_factory=dict_row) as connection:
            return connection.execute(query.encode(), given).fetchall()

    def start(self, which: Processes) -> None:
        """One process of each kind of one version."""
        for kind in KINDS:
            which.begin(kind)
        which.begin("api", more={"SUPPORT_PORT": "0"})
        for each in which.running:
            which.await_ready(each)
        which.connect()
        which.sign_in()


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    """One PostgreSQL database and one Redis, at the older schema, with articles and an operator."""
    broker = broker_address("redis")
    if not POSTGRES:
        pytest.skip("needs SUPPORT_TEST_POSTGRES_URL")
    (tmp_path / "tree").mkdir()
    tree: OldTree = old_tree(tmp_path / "tree")
    name, prefix = f"support_versions_{uuid4().hex[:10]}", f"versions-{uuid4().hex[:8]}"
    _administer(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    mail = SmtpSink()
    with ExitStack() as stack:
        stack.callback(_drop, name)
        stack.callback(forget, broker, prefix)
        stack.enter_context(beside(listening(mail)))
        environment = _environment(name, broker, prefix) | {
            "SUPPORT_SMTP_PORT": str(mail.port),
            "SUPPORT_ANCHOR_PATH": str(tmp_path / "anchor.json"),
        }
        for version in ("old", "new"):
            (tmp_path / version).mkdir()
        old = stack.enter_context(processes(tmp_path / "old" / "data", environment, tree))
        new = stack.enter_context(processes(tmp_path / "new" / "data", environment))
        old.command("db", "upgrade")
        old.command("kb", "sync", str(SHOP / "articles"))
        old.command("operators", "add", OPERATOR, "--role", "admin", "--password-stdin", stdin=PASSWORD)
        yield Both(old, new, mail, _url(name))


def approve(api: Processes, ticket: str) -> None:
    """Approve what waits on a ticket; what waits for another action or another person stays."""
    for request in api.get(f"/v1/tickets/{ticket}")["requests"]:
        if request["status"] == "pending":
            decision = {"decision": "approve", "digest": request["digest"]}
            try:
                api.post(f"/v1/approvals/{request['id']}/decisions", decision)
            except httpx.HTTPStatusError as refused:
                assert refused.response.status_code == httpx.codes.CONFLICT, refused.response.text  # noqa: PT017


def knows_of_later_versions(version: Processes) -> bool:
    """Versions up to migration 0015 are not ready, and do not start again, once the schema is a later one."""
    assert isinstance(version.program, OldTree)
    return version.program.newest_migration >= "0016"


def test_i3_i4_two_versions_answer_each_ticket_once_and_act_once(both: Both) -> None:
    old, new = both.old, both.new
    both.start(old)
    tickets = [old.webhook(message(at % 7))["ticket_id"] for at in range(3)]
    before = both.rows("SELECT version_num FROM alembic_version")[0]["version_num"]
    new.command("db", "upgrade")  # while the older processes work
    after = both.rows("SELECT version_num FROM alembic_version")[0]["version_num"]
    assert before != after
    assert newest(Path(__file__).parents[3]).name.startswith(after)
    both.start(new)
    assert new.get("/readyz")["ready"]
    if knows_of_later_versions(old):
        assert old.get("/readyz")["ready"]
        old.one("worker").kill()
        old.await_ready(old.begin("worker"))  # it may be started again on the newer schema
    apis = (old, new)
    for at in range(3, TICKETS):
        tickets.append(apis[at % 2].webhook(message(1 + at % 6))["ticket_id"])
        time.sleep(0.05)

    def open_runs() -> list[dict[str, Any]]:
        return both.rows("SELECT id FROM outbox WHERE name = 'ticket_received' AND done_at IS NULL")

    until(lambda: not open_runs(), 600)
    runs = both.rows("SELECT ticket_id, count(*) AS runs FROM runs WHERE status = 'finished' GROUP BY ticket_id")
    assert {str(row["ticket_id"]): row["runs"] for row in runs} == dict.fromkeys(tickets, 1)
    assert both.rows("SELECT id FROM outbox WHERE buried_at IS NOT NULL") == []

    def settled() -> bool:
        """Each ticket is decided at the other version's API than the one that took it in."""
        for at, ticket in enumerate(tickets):
            approve(apis[(at + 1) % 2], ticket)
        waiting = both.rows(
            "SELECT r.id FROM approval_requests r WHERE r.status = 'pending'"
            " AND NOT EXISTS (SELECT 1 FROM decisions d WHERE d.request_id = r.id)"
        )
        going = both.rows("SELECT id FROM executions WHERE NOT status = ANY(%s)", list(ENDED))
        return not waiting and not going

    until(settled, 600)
    _each_effect_once(both, at_least=TICKETS // 4)
    old.stop()
    last = new.webhook(message(1))["ticket_id"]
    until(lambda: both.rows("SELECT id FROM runs WHERE ticket_id = %s AND status = 'finished'", last), 600)
    assert "unexpected" not in old.log() + new.log()


def _each_effect_once(both: Both, *, at_least: int) -> None:
    executions = both.rows("SELECT id, kind, status, reason FROM executions")
    done = [row for row in executions if row["status"] == "succeeded"]
    # Several of the messages ask for the money of one order, and whichever version comes second refuses it.
    others = [row for row in executions if row["status"] != "succeeded"]
    assert all((row["kind"], row["reason"]) == ("issue_refund", PAID_BACK) for row in others), others
    letters = [row for row in done if row["kind"] == "send_reply"]
    assert len(letters) >= at_least
    assert len(both.mail.taken) == len(letters)
    attempts = both.rows("SELECT execution_id, count(*) AS tries FROM attempts GROUP BY execution_id")
    tries = {row["execution_id"]: row["tries"] for row in attempts}
    assert set(tries.values()) == {1}
    assert {row["id"] for row in done} <= tries.keys()
    refunds = [row for row in done if row["kind"] == "issue_refund"]
    assert refunds
    assert len(both.rows("SELECT id FROM refund_entries WHERE status = 'booked'")) == len(refunds)
