"""A whole installation of separated processes: each with a database role and secrets of its own, and one journey."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from api.separation import EVERYBODYS, HELD, SECRETS
from db.roles import DatabaseRole
from tests.fixtures.brokers import broker_address, forget
from tests.fixtures.database_roles import Addresses, logins
from tests.integration.distributed.conftest import _administer, _drop, _environment, _url
from tests.integration.distributed.test_house import approve_all, message, until
from tests.peers.beside import beside
from tests.peers.processes import SECRET_KEY, Processes, processes
from tests.peers.product import WHSEC
from tests.peers.program import COLD, warm
from tests.peers.smtp_sink import SmtpSink, listening

pytestmark = [
    pytest.mark.slow,
    pytest.mark.postgres,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="the mail's key is made with openssl"),
]

DECISION_KEY = "a key of decisions for tests only, of those who decide and act"
ROLES = {name: DatabaseRole(name) for name in ("intake", "agents", "decide", "act")}
SECRET_OF: Mapping[str, Mapping[str, str]] = {
    "intake": {"SUPPORT_SECRET_KEY": SECRET_KEY, "SUPPORT_STANDARD_WEBHOOK_SECRETS": WHSEC},
    "agents": {},
    "decide": {"SUPPORT_SECRET_KEY": SECRET_KEY, "SUPPORT_DECISION_KEY": DECISION_KEY},
    "act": {"SUPPORT_SECRET_KEY": SECRET_KEY, "SUPPORT_DECISION_KEY": DECISION_KEY},
}
FORGED = (
    "INSERT INTO decisions (id, workspace_id, request_id, digest, operator_id, session_id, role, verdict, reason, seal,"
    " created_at) SELECT gen_random_uuid(), r.workspace_id, r.id, r.digest, gen_random_uuid(), gen_random_uuid(),"
    " 'admin', 'approve', '', '', now() FROM approval_requests r WHERE r.id = %s"
)


@dataclass
class Separated:
    """The processes of each privilege, the address of the database for each, and the mail that left."""

    by: Mapping[str, Processes]
    addresses: Addresses
    mail: SmtpSink

    def rows(self, role: DatabaseRole, query: str, *given: object) -> list[dict[str, object]]:
        """What the database answers this role."""
        url = self.addresses[role].replace("+psycopg", "")
        with psycopg.connect(url, row_factory=dict_row) as connection:
            connection.execute("SET LOCAL app.across = 'upkeep'")
            found = connection.execute(query.encode(), given)
            return found.fetchall() if found.description else []


@pytest.fixture(scope="module")
def separated(furnished: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Separated]:
    """All processes of the table in docs/operations.md, running."""
    broker, prefix = broker_address("redis"), f"apart-{uuid4().hex[:10]}"
    template, filled = furnished
    name = f"support_apart_{uuid4().hex[:10]}"
    clone = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    _administer(clone.format(sql.Identifier(name), sql.Identifier(template)))
    root, mail = tmp_path_factory.mktemp("apart"), SmtpSink()
    signing = root / "dkim.pem"
    subprocess.run(["openssl", "genrsa", "-out", str(signing), "2048"], check=True, capture_output=True)  # noqa: S607
    try:
        with ExitStack() as stack:
            addresses = stack.enter_context(logins(_url(name)))
            stack.enter_context(beside(listening(mail)))
            common = _environment(name, broker, prefix) | {
                "SUPPORT_SMTP_PORT": str(mail.port),
                "SUPPORT_DKIM_SELECTOR": "s1",
                "SUPPORT_LOG_FORMAT": "json",
            }
            del common["SUPPORT_STANDARD_WEBHOOK_SECRETS"]
            made: dict[str, Processes] = {}
            for privilege, role in ROLES.items():
                folder = root / privilege
                folder.mkdir()
                shutil.copytree(filled, folder / "data")
                (folder / "data" / "secret_key").unlink(missing_ok=True)
                own = {"SUPPORT_PRIVILEGE": privilege, "SUPPORT_DATABASE_URL": addresses[role]}
                # The environment of a forked process is the one that it was forked from: this one is looked at.
                program = COLD if privilege == "agents" else warm()
                environment = common | own | dict(SECRET_OF[privilege])
                if privilege == "act":
                    environment["SUPPORT_DKIM_KEY"] = str(signing)
                given = processes(folder / "data", environment, program, secret_key="")
                made[privilege] = stack.enter_context(given)
            _start(made)
            yield Separated(made, addresses, mail)
    finally:
        forget(broker, prefix)
        _drop(name)


def _start(by: Mapping[str, Processes]) -> None:
    free = {"SUPPORT_PORT": "0"}
    by["act"].begin("scheduler")
    by["act"].await_ready(by["act"].one("scheduler"))  # it begins the installation's anchor
    by["agents"].begin("worker", "--queues", "runs")
    by["agents"].begin("relay")
    by["act"].begin("worker", "--queues", "actions,background")
    for privilege in ("intake", "decide", "act"):
        by[privilege].begin("api", more=free)
    for each in by.values():
        for process in each.running:
            each.await_ready(process)
    for privilege in ("intake", "decide", "act"):
        by[privilege].connect()


def test_a_journey_through_processes_that_each_may_do_their_own_part(separated: Separated) -> None:
    decide, read = separated.by["decide"], DatabaseRole.READ
    ticket = separated.by["intake"].webhook(message())["ticket_id"]
    status = "SELECT status FROM runs WHERE ticket_id = %s"
    until(lambda: [row["status"] for row in separated.rows(read, status, ticket)] == ["finished"])
    decide.sign_in()

    def settled() -> bool:
        approve_all(decide, ticket)
        states = [each["status"] for each in decide.get(f"/v1/tickets/{ticket}")["executions"]]
        return states == ["succeeded", "succeeded"]

    until(settled)
    (letter,) = separated.mail.taken
    assert b"DKIM-Signature" in letter.content
    assert len(separated.rows(read, "SELECT id FROM refund_entries WHERE status = 'booked'")) == 1
    logs = "".join(each.log() for each in separated.by.values())
    assert "permission denied" not in logs
    assert "insufficient" not in logs.lower()


def test_no_process_has_a_secret_of_another(separated: Separated) -> None:
    values = {value for secrets in SECRET_OF.values() for value in secrets.values()}
    for process in separated.by["agents"].running:
        assert process.process.poll() is None
        environ = Path(f"/proc/{process.process.pid}/environ").read_text(encoding="utf-8")
        names = {line.partition("=")[0] for line in environ.split("\0")}
        assert not names & {f"SUPPORT_{each.upper()}" for each in SECRETS}
        assert not [value for value in values if value in environ]
    for privilege, secrets in SECRET_OF.items():
        own = {name.removeprefix("SUPPORT_").lower() for name in secrets}
        assert own <= next(held for each, held in HELD.items() if each == privilege) | EVERYBODYS


def test_i1_what_the_agents_forge_moves_nothing(separated: Separated) -> None:
    ticket = separated.by["intake"].webhook(message(2))["ticket_id"]
    asked = "SELECT id FROM approval_requests WHERE ticket_id = %s AND status = 'pending'"
    (request, *_) = until(lambda: separated.rows(DatabaseRole.READ, asked, ticket))
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="decisions"):
        separated.rows(DatabaseRole.AGENTS, FORGED, request["id"])
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="executions"):
        separated.rows(DatabaseRole.AGENTS, "INSERT INTO executions DEFAULT VALUES")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="decisions"):
        separated.rows(DatabaseRole.ACT, FORGED, request["id"])
    assert separated.rows(DatabaseRole.READ, "SELECT id FROM decisions WHERE request_id = %s", request["id"]) == []


def test_each_api_opens_its_own_doors_only(separated: Separated) -> None:
    for privilege, path, status in (
        ("intake", "/v1/approvals", 404),
        ("intake", "/console/sign-in", 404),
        ("act", "/v1/approvals", 404),
        ("act", "/webhooks/standard", 404),
    ):
        assert separated.by[privilege].raw(path, b"{}", {}) in {status, 405}, (privilege, path)
