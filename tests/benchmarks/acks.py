"""Webhook acknowledgements a second beside a bare endpoint's, in pairs, so that a busy machine slows both alike."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from tests.benchmarks.databases import POSTGRES, conninfo_of, postgresql
from tests.benchmarks.figures import Report, Shown, table
from tests.benchmarks.installation import installed, url_of

PAIRS, SECONDS, AT_ONCE = 5, 4.0, (16, 64, 1)
BURSTS, BURST, BURST_AT_ONCE = 3, 300, 16
RATIO = 0.5
_MOST = 12_000


@dataclass(frozen=True)
class Fired:
    """One round of the load generator."""

    per_second: float
    count: int
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True)
class Paired:
    """Rounds on ours and on the bare endpoint, in turn; `counts` says whether the bound holds for them."""

    label: str
    ours: tuple[Fired, ...]
    bare: tuple[Fired, ...]
    counts: bool

    @property
    def ratios(self) -> tuple[float, ...]:
        """Ours to bare, pair by pair."""
        return tuple(a.per_second / b.per_second for a, b in zip(self.ours, self.bare, strict=True))

    def row(self) -> tuple[object, ...]:
        """Return the row of the table."""
        return (
            self.label,
            median(one.per_second for one in self.ours),
            median(one.per_second for one in self.bare),
            f"{median(self.ratios):.2f}",
            f"{min(self.ratios):.2f} to {max(self.ratios):.2f}",
            median(one.p95_ms for one in self.ours),
            median(one.p95_ms for one in self.bare),
        )

    def figures(self) -> dict[str, object]:
        """Return plain values."""
        names = ("ours_per_second", "bare_per_second", "ratio", "range", "ours_p95_ms", "bare_p95_ms")
        return dict(zip(names, self.row()[1:], strict=True))


def measure() -> Report:
    """Pairs at each concurrency on each database, then bursts of customer messages while their runs are worked on."""
    results = [*_steady("SQLite"), *_on_postgresql(), _bursts()]
    columns = ("acknowledgements", "ours /s", "bare /s", "ratio", "range of pairs", "ours p95 ms", "bare p95 ms")
    shown = table(
        f"webhooks acknowledged, {PAIRS} pairs of {SECONDS:.0f} s each", columns, [one.row() for one in results]
    )
    bounds = tuple(_bound(one) for one in results if one.counts)
    return Report("acks", (shown,), {one.label: one.figures() for one in results}, bounds)


def _bound(paired: Paired) -> Shown:
    rate = median(paired.ratios)
    return Shown(f"{paired.label}: ratio {rate:.2f} ≥ {RATIO}", rate >= RATIO)


def _on_postgresql() -> Iterator[Paired]:
    if POSTGRES:
        with postgresql() as ours, postgresql() as bare:
            yield from _steady("PostgreSQL", ours, conninfo_of(bare))


def _steady(database: str, url: str = "", conninfo: str = "") -> Iterator[Paired]:
    """Operators' messages: stored like a customer's, with the worker running, but they call for no run."""
    with installed(0, database_url=url) as running, bare_endpoint(conninfo) as bare:
        running.start()
        ours = _port(url_of(running))
        for at_once in AT_ONCE:
            for port in (ours, bare):
                fire(port, series="W", at_once=at_once, count=200, seconds=2)
            pairs = [
                tuple(fire(port, series=f"{at_once}-{at}-", at_once=at_once, seconds=SECONDS) for port in (ours, bare))
                for at in range(PAIRS)
            ]
            # One at a time shows how long one takes, not how many there can be; the bound is the default database's.
            yield _paired(
                f"{database}, {at_once} at once, worker idle", pairs, counts=database == "SQLite" and at_once > 1
            )


def _bursts() -> Paired:
    """Customers' messages: every one starts a run in the same process while the next are acknowledged."""
    pairs = []
    for at in range(BURSTS):
        with installed(BURST) as running, bare_endpoint() as bare:
            running.start()
            ports = (_port(url_of(running)), bare)
            for port in ports:
                fire(port, series="W", at_once=1, count=50, seconds=2)
            pairs.append(
                tuple(fire(port, series=f"B{at}-", at_once=BURST_AT_ONCE, count=BURST, runs=True) for port in ports)
            )
    return _paired(
        f"SQLite, burst of {BURST} at {BURST_AT_ONCE} at once, every one starting a run", pairs, counts=False
    )


def _paired(label: str, pairs: Sequence[tuple[Fired, ...]], *, counts: bool) -> Paired:
    return Paired(label, tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs), counts)


def fire(  # noqa: PLR0913 - the load generator's arguments
    port: int, *, series: str, at_once: int, count: int = _MOST, seconds: float = 120, runs: bool = False
) -> Fired:
    """Let the load generator's process do one round."""
    words = ["--at-once", str(at_once), "--count", str(count), "--seconds", str(seconds), "--series", series]
    command = [sys.executable, "-m", "tests.benchmarks.load", str(port), *words, *(["--starts-runs"] if runs else [])]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if ended.returncode:
        raise RuntimeError(ended.stderr[-1_000:])
    return Fired(**json.loads(ended.stdout))


@contextmanager
def bare_endpoint(conninfo: str = "") -> Iterator[int]:
    """Run the bare endpoint, on an SQLite file unless told otherwise, and give out its port."""
    with TemporaryDirectory(prefix="bare-") as folder:
        command = [sys.executable, "-m", "tests.benchmarks.bare", conninfo or str(Path(folder) / "events.db")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                yield int(process.stdout.readline())
            finally:
                process.terminate()


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port
