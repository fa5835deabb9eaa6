"""The product as benchmarks run it: a fresh folder with the demo shop's content and a real server process."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from api.demo import shop
from tests.benchmarks.messages import orders_csv
from tests.peers.product import WHSEC, Product, product
from tests.peers.program import COLD

_TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def installed(messages: int, *, database_url: str = "") -> Iterator[Product]:
    """Give out an installation that knows the articles and the orders of so many messages; not started.

    Without a URL its database is an SQLite file of its own.
    """
    with TemporaryDirectory(prefix="bench-") as name:
        environment = {
            **shop_environment(Path(name), messages),
            "SUPPORT_PORT": "0",
            "SUPPORT_DATABASE_URL": database_url,
            "SUPPORT_LOG_LEVEL": "WARNING",
        }
        with product(Path(name) / "data", environment, COLD) as made:
            made.command("db", "upgrade")
            made.command("kb", "sync", str(shop.ARTICLES))
            yield made


def shop_environment(folder: Path, messages: int) -> dict[str, str]:
    """Return the settings of the demo shop with the orders of so many messages, which are written into the folder.

    Replies have a way out, so that requests are made.
    """
    orders = folder / "orders.csv"
    orders.write_text(orders_csv(messages), encoding="utf-8")
    return {
        "SUPPORT_MODE": "reply",
        "SUPPORT_STANDARD_WEBHOOK_SECRETS": WHSEC,
        "SUPPORT_ORDERS_CSV": str(orders),
        "SUPPORT_POLICY": str(shop.POLICY),
        "SUPPORT_KNOWN_VECTORS": str(shop.VECTORS),
        "SUPPORT_SMTP_HOST": "127.0.0.1",
        "SUPPORT_SMTP_FROM_ADDRESS": "support@shop.example",
    }


def url_of(running: Product) -> str:
    """Return where a started server listens."""
    assert running._http is not None
    return str(running._http.base_url).rstrip("/")


def pid_of(running: Product) -> int:
    """Return the process id of a started server."""
    assert running.process is not None
    return running.process.pid


def resident_mb(pid: int) -> dict[str, float]:
    """Return resident memory now and at its highest, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    values = dict(line.split(":", 1) for line in lines if ":" in line)
    return {name: round(int(values[name].split()[0]) / 1024, 1) for name in ("VmRSS", "VmHWM")}


def cpu_seconds(pid: int) -> float:
    """Return the processor time that the process has used; other programs on the machine do not count in it."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


class Records:
    """The server's own records, read beside it without locking anything."""

    def __init__(self, folder: Path) -> None:
        self._db = sqlite3.connect(f"file:{folder / 'support.db'}?mode=ro", uri=True)
        self._version = -1

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def changed(self) -> bool:
        """Whether anything was committed since the last call; costs microseconds."""
        version = int(self._db.execute("PRAGMA data_version").fetchone()[0])
        different, self._version = version != self._version, version
        return different

    def finished(self, *, after: int) -> list[tuple[int, str]]:
        """Return (row, external ticket) of the runs that finished among those newer than `after`."""
        query = (
            "SELECT r.rowid, t.external_id FROM runs r JOIN tickets t ON t.id = r.ticket_id"
            " WHERE r.status = 'finished' AND r.rowid > ?"
        )
        return [(int(row), str(ticket)) for row, ticket in self._db.execute(query, (after,))]

    def waiting(self) -> int:
        """Return how many events nobody has finished."""
        query = "SELECT count(*) FROM outbox WHERE done_at IS NULL AND buried_at IS NULL"
        return int(self._db.execute(query).fetchone()[0])

    def runs(self, series: str) -> list[sqlite3.Row]:
        """Return the finished runs of a series of messages."""
        self._db.row_factory = sqlite3.Row
        query = (
            "SELECT t.external_id AS ticket, r.outcome, r.timings, r.received_at, r.begun_at, r.finished_at,"
            " r.total_ms, r.late FROM runs r JOIN tickets t ON t.id = r.ticket_id"
            " WHERE r.status = 'finished' AND t.external_id LIKE ? || '%' ORDER BY r.rowid"
        )
        return self._db.execute(query, (series,)).fetchall()


def milliseconds(start: str, end: str) -> float:
    """Return the time between two stored instants."""
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() * 1_000
