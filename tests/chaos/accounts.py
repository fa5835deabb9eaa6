"""The books after a round: accepted messages against runs, effects against decisions."""

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from kombu import Connection
from sqlalchemy import Engine, text

from api.secret_key import SecretKey
from api.worker.hints import Queue
from db.anchor import Anchor
from db.audit_sealer import AuditSealer
from db.engine import Database
from support_agents.domain.ids import DEFAULT_WORKSPACE
from tests.peers.processes import SECRET_KEY
from tests.peers.smtp_sink import Taken
from tests.soak.accounts import Books, Verdict, at_rest

# Nothing moves any more: no event waits, nothing is being carried out, nothing in doubt is still asked about.
MOVING = """
SELECT (SELECT count(*) FROM outbox WHERE done_at IS NULL AND buried_at IS NULL)
     + (SELECT count(*) FROM runs WHERE status = 'open')
     + (SELECT count(*) FROM executions WHERE status IN ('scheduled', 'executing')
        OR status = 'in_doubt' AND next_check_at IS NOT NULL)
     + (SELECT count(*) FROM audit WHERE sealed_seq IS NULL)
"""
_RUNS = """
SELECT t.external_id AS ticket, count(r.id) FILTER (WHERE r.status = 'finished') AS finished, count(r.id) AS begun
FROM tickets t LEFT JOIN runs r ON r.ticket_id = t.id GROUP BY t.external_id
"""
_BURIED = "SELECT name, last_error FROM outbox WHERE buried_at IS NOT NULL"


@dataclass(frozen=True)
class Outside:
    """What the outside knows: accepted messages, clicks, letters that arrived, refunds that were booked."""

    accepted: Collection[str]
    clicks: Sequence[Mapping[str, Any]]
    letters: Sequence[Taken]
    payments: Path

    def lines(self, operator: str) -> list[dict[str, Any]]:
        """As the books of the soak want them."""
        clicks = [{**click, "person": operator} for click in self.clicks]
        return [*clicks, *map(_letter, self.letters), *_refunds(self.payments)]


def judged(engine: Engine, outside: Outside) -> tuple[Verdict, Books]:
    """Compare everything."""
    with engine.connect() as connection:
        runs = {row.ticket: row for row in connection.execute(text(_RUNS))}
        buried = Counter(f"{name}: {error}" for name, error in connection.execute(text(_BURIED)))
        operator = str(connection.execute(text("SELECT id FROM operators")).scalar_one())
    books = Books.read(engine, outside.lines(operator))
    verdict = at_rest(books)
    verdict.lost += [f"{ticket}: accepted, and {why}" for ticket, why in _unanswered(outside.accepted, runs)]
    verdict.lost += [f"{count} events buried, {what}" for what, count in buried.items()]
    verdict.doubled += [f"{ticket}: {row.finished} finished runs" for ticket, row in runs.items() if row.finished > 1]
    return verdict, books


def _unanswered(accepted: Collection[str], runs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for ticket in accepted:
        row = runs.get(ticket)
        if row is None:
            yield ticket, "not stored"
        elif row.finished == 0:
            yield ticket, "no run of it has finished" if row.begun else "no run was begun"


async def tampering(url: str, anchor: Path) -> list[str]:
    """What the product's own check finds wrong with the audit chain."""
    key, database = SecretKey(SECRET_KEY.encode()), Database.open(url)
    try:
        sealer = AuditSealer(database, Anchor(anchor, key.derived("anchor")), key.derived("audit"))
        return [f"audit {problem}" for problem in await sealer.verify(DEFAULT_WORKSPACE)]
    finally:
        await database.close()


def waiting_hints(url: str, prefix: str) -> int:
    """How many hints lie in the broker's queues."""
    with Connection(url) as connection:
        channel = connection.default_channel
        declared = [channel.queue_declare(f"{prefix}.{queue}", durable=True, auto_delete=False) for queue in Queue]
        return sum(int(each.message_count) for each in declared)


def _letter(taken: Taken) -> dict[str, Any]:
    told = message_from_bytes(taken.content, policy=policy.SMTP)
    body = told.get_body(("plain",))
    return {
        "what": "mail",
        "action": str(told["Message-ID"]).strip("<>").partition("@")[0],
        "to": list(taken.recipients),
        "subject": str(told["Subject"]),
        "text": "" if body is None else body.get_content().strip(),
    }


def _refunds(payments: Path) -> list[dict[str, Any]]:
    if not payments.exists():
        return []
    with closing(sqlite3.connect(f"file:{payments}?mode=ro", uri=True)) as ledger:
        rows = ledger.execute("SELECT action, payment_ref, minor, currency FROM refunds").fetchall()
    return [
        {"what": "refund", "action": action, "payment": payment, "minor": minor, "currency": currency}
        for action, payment, minor, currency in rows
    ]
