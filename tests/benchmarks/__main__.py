"""`python -m tests.benchmarks [names] [--json FILE]`: measures and prints tables; writes nothing unless asked."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from rich.console import Console

from tests.benchmarks import (
    acks,
    cards,
    clicks,
    core,
    cost,
    distributed,
    index,
    memory,
    orchestration,
    peers,
    promise,
    reviewer,
    stages,
    start,
    understanding,
)
from tests.benchmarks.figures import Report

BENCHMARKS: Mapping[str, Callable[[], Report]] = {
    "stages": stages.measure,
    "acks": acks.measure,
    "cards": cards.measure,
    "start": start.measure,
    "memory": memory.measure,
    "clicks": clicks.measure,
    "reviewer": reviewer.measure,
    "promise": promise.measure,
    "peers": peers.measure,
    "orchestration": orchestration.measure,
    "cost": cost.measure,
    "core": core.measure,
    "index": index.measure,
    "distributed": distributed.measure,
    "understanding": understanding.measure,
}
_QUIET_LOAD = 0.5


def main() -> int:
    """Run the named benchmarks, or all; 1 when a bound was not kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"any of: {', '.join(BENCHMARKS)} (all)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--runs", type=int, help="fewer runs than usual, for benchmarks that count in runs")
    parser.add_argument("--stretch", type=float, default=1.0, help="`promise` only: every second so many times as long")
    given = parser.parse_args()
    if unknown := set(given.names) - set(BENCHMARKS):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    console = Console(width=None if sys.stdout.isatty() else 140)
    load = os.getloadavg()[0]
    busy = "" if load < _QUIET_LOAD else " – other programs are running, so these figures are too high"
    console.print(f"{os.cpu_count()} cores, load {load:.1f}{busy}")
    reports = [_run(name, console, given) for name in given.names or BENCHMARKS]
    if given.json:
        figures = {report.name: report.figures for report in reports}
        given.json.write_text(json.dumps({"load_before": load, **figures}, indent=1) + "\n", encoding="utf-8")
    return 0 if all(shown.holds for report in reports for shown in report.shown) else 1


def _run(name: str, console: Console, given: argparse.Namespace) -> Report:
    console.rule(name)
    if name == "promise":
        report = promise.measure(given.runs or promise.RUNS, given.stretch)
    elif name == "peers":
        report = peers.measure(given.runs or peers.RUNS)
    elif name == "orchestration":
        report = orchestration.measure(given.runs or orchestration.RUNS)
    elif name == "core":
        report = core.measure(given.runs or core.RUNS)
    else:
        report = BENCHMARKS[name]()
    for table in report.tables:
        console.print(table)
    for shown in report.shown:
        console.print(f"{'✓' if shown.holds else '✗'} {shown.what}", style="green" if shown.holds else "red")
    return report


if __name__ == "__main__":
    sys.exit(main())
