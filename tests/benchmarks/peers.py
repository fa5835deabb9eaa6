"""The same five steps as a plain chain and in LangGraph with its durable checkpointer, beside ours, on one stand-in.

LangGraph is no dependency: SUPPORT_BENCH_LANGGRAPH names a Python that has it (`pip install langgraph
langgraph-checkpoint-sqlite` beside this project's requirements); without it that row is left out.
"""

import asyncio
import json
import os
import subprocess
import sys
from typing import Any

from tests.benchmarks.figures import Report, Shown, percentile, spread, table
from tests.benchmarks.in_process import in_process, models_at, question_of
from tests.benchmarks.messages import samples
from tests.benchmarks.promise import AT_ONCE, PROMISE_SECONDS, Series, series_of
from tests.benchmarks.provider import provider_process

RUNS = 200
_INSTANT = ("--instant",)
_REAL = ("--seed", "2")


def measure(runs: int = RUNS) -> Report:
    """Each way with a provider like real ones, and with an instant one, where only the orchestration takes time."""
    found = {}
    for label, words, at_once in (("provider like real ones", _REAL, AT_ONCE), ("instant provider", _INSTANT, 1)):
        rows = []
        for way in ("chain", "langgraph"):
            with provider_process(*words) as address:
                rows += _usual(way, address, runs=runs, at_once=at_once)
        with provider_process(*words) as address:
            rows.append(_ours(asyncio.run(_series(address, runs, at_once))))
        found[label] = rows
    tables = tuple(
        table(
            f"five steps, {label}, ms",
            ("", "runs", "errors", "≤ 2.0 s", "p50", "p95", "p99", "max", "cpu ms a run", "runs/s"),
            [_row(row) for row in rows],
        )
        for label, rows in found.items()
    )
    figures = {label: [{**row, "seconds": None} for row in rows] for label, rows in found.items()}
    return Report("peers", tables, figures, _shown(found))


def _usual(way: str, address: str, *, runs: int, at_once: int) -> list[dict[str, Any]]:
    python = os.environ.get("SUPPORT_BENCH_LANGGRAPH", "") if way == "langgraph" else sys.executable
    if not python:
        return []
    words = (way, "--address", address, "--runs", str(runs), "--at-once", str(at_once))
    ended = subprocess.run(
        [python, "-m", "tests.benchmarks.usual_way", *words], check=True, capture_output=True, text=True
    )
    return [json.loads(ended.stdout.splitlines()[-1])]


async def _series(address: str, runs: int, at_once: int) -> Series:
    questions = [question_of(sample) for sample in samples(46, series="P")]
    async with in_process(46, models_at(address)) as container:
        asked = [questions[at % len(questions)] for at in range(runs)]
        return await series_of("ours", container.asking, asked, at_once)


def _ours(series: Series) -> dict[str, Any]:
    runs = len(series.ended)
    return {
        "way": "ours",
        "runs": runs,
        "errors": 0,
        "seconds": series.seconds,
        "cpu_ms": series.cpu * 1_000 / runs,
        "runs_per_second": runs / series.wall,
    }


def _in_time(row: dict[str, Any]) -> float:
    """An error is no answer in time."""
    in_time: int = sum(one <= PROMISE_SECONDS for one in row["seconds"])
    return in_time / int(row["runs"])


def _row(row: dict[str, Any]) -> tuple[object, ...]:
    times = spread([one * 1_000 for one in row["seconds"]])
    figures = (*times.values(), float(row["cpu_ms"]), float(row["runs_per_second"]))
    return (row["way"], row["runs"], row["errors"], f"{_in_time(row):.1%}", *figures)


def _shown(found: dict[str, list[dict[str, Any]]]) -> tuple[Shown, ...]:
    *others, ours = found["provider like real ones"]
    return tuple(
        Shown(
            f"in time: ours {_in_time(ours):.1%}, {other['way']} {_in_time(other):.1%}; "
            f"p95 {percentile(ours['seconds'], 0.95):.2f} and {percentile(other['seconds'], 0.95):.2f} s",
            _in_time(ours) > _in_time(other),
        )
        for other in others
    )
