"""Whole runs: signed webhooks to a real server, one after another and four at once; milliseconds from its records."""

import asyncio
import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.table import Table

from tests.benchmarks.figures import Report, Shown, percentile, spread, table
from tests.benchmarks.installation import Records, cpu_seconds, installed, milliseconds, pid_of
from tests.benchmarks.messages import samples
from tests.benchmarks.sending import send_all

MESSAGES, WARM_UP = 500, 46
P95_MS, LONGEST_MS = 150.0, 2_000.0
_SHARES = ("p50", "p95", "p99", "max")


@dataclass(frozen=True)
class Series:
    """All runs of one way of sending."""

    label: str
    card_ready: tuple[float, ...]
    stages: Mapping[str, Sequence[float]]
    outcomes: Mapping[str, int]
    faults: Mapping[str, int]
    cpu_ms: float

    @property
    def over_share(self) -> float:
        """Share of runs that took longer than the two seconds."""
        return sum(ms > LONGEST_MS for ms in self.card_ready) / len(self.card_ready)

    def figures(self) -> dict[str, object]:
        """Return everything as plain values."""
        return {
            "runs": len(self.card_ready),
            "card_ready_ms": spread(self.card_ready),
            "over_2s": self.over_share,
            "processor_ms_per_run": round(self.cpu_ms, 1),
            "stages_ms": {name: spread(values) for name, values in self.stages.items()},
            "outcomes": dict(self.outcomes),
            "faults": dict(self.faults),
        }


def measure() -> Report:
    """Send a warm-up, then two times 500 messages."""
    with installed(WARM_UP + 2 * MESSAGES) as running:
        running.start()
        asyncio.run(send_all(running, samples(WARM_UP, series="W"), at_once=1))
        series, first = [], WARM_UP
        for name, label, at_once in (("A", "one after another", 1), ("B", "four at once", 4)):
            before = cpu_seconds(pid_of(running))
            seen = asyncio.run(send_all(running, samples(MESSAGES, series=name, first=first), at_once=at_once))
            first += MESSAGES
            used = cpu_seconds(pid_of(running)) - before
            series.append(_series(label, _rows(running.folder, name), seen, cpu_ms=used * 1_000 / MESSAGES))
    return Report("stages", _tables(series), {one.label: one.figures() for one in series}, _shown(series))


def _rows(folder: object, series: str) -> list[sqlite3.Row]:
    records = Records(folder)  # type: ignore[arg-type] # a path
    try:
        return records.runs(series)
    finally:
        records.close()


def _series(label: str, rows: Sequence[sqlite3.Row], seen: Mapping[str, datetime], *, cpu_ms: float) -> Series:
    stages: defaultdict[str, list[float]] = defaultdict(list)
    faults: Counter[str] = Counter()
    ready = []
    for row in rows:
        committed = seen[row["ticket"]].isoformat()
        ready.append(milliseconds(row["received_at"], committed))
        stages["webhook to run begun"].append(milliseconds(row["received_at"], row["begun_at"]))
        for timing in json.loads(row["timings"]):
            stages[timing["stage"]].append(timing["took_ms"])
            if timing["error"]:
                faults[f"{timing['stage']}: {timing['error']}"] += 1
        stages["run, all agents"].append(milliseconds(row["begun_at"], row["finished_at"]))
        stages["record and requests committed"].append(milliseconds(row["finished_at"], committed))
    return Series(label, tuple(ready), stages, Counter(row["outcome"] for row in rows), faults, cpu_ms)


def _tables(series: Sequence[Series]) -> tuple[Table, ...]:
    runs = [
        (one.label, len(one.card_ready), *spread(one.card_ready).values(), f"{one.over_share:.1%}", one.cpu_ms)
        for one in series
    ]
    columns = ("whole runs, ms", "runs", *_SHARES, "over 2.0 s", "processor ms a run")
    outcomes = sorted({name for one in series for name in one.outcomes})
    return (
        table("webhook's first byte to card ready", columns, runs),
        *(_stage_table(one) for one in series),
        table("outcomes", ("", *outcomes), [(o.label, *(o.outcomes.get(n, 0) for n in outcomes)) for o in series]),
        *(_fault_table(one) for one in series if one.faults),
    )


def _fault_table(one: Series) -> Table:
    return table(f"stages that gave up, {one.label}", ("stage and why", "times"), list(one.faults.items()))


def _stage_table(one: Series) -> Table:
    rows = [(name, len(values), *spread(values).values()) for name, values in one.stages.items()]
    return table(f"stages, {one.label}, ms", ("stage", "times", *_SHARES), rows)


def _shown(series: Sequence[Series]) -> tuple[Shown, ...]:
    first = series[0]
    p95 = percentile(first.card_ready, 0.95)
    longest = max(max(one.card_ready) for one in series)
    return (
        Shown(f"whole runs at p95 ≤ {P95_MS:.0f} ms: {p95:.0f} ms", p95 <= P95_MS),
        Shown(f"none over 2.0 s: longest {longest / 1_000:.2f} s", longest <= LONGEST_MS),
    )
