"""What orchestration and persistence cost, the agents being trivial: ours beside LangGraph's durable checkpointers.

LangGraph is no dependency: SUPPORT_BENCH_LANGGRAPH names a Python that has it (`pip install langgraph
langgraph-checkpoint-sqlite langgraph-checkpoint-postgres psycopg[binary]`); without it its rows are left out.
"""

import asyncio
import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from api.asking import Question
from db.upgrade import upgrade
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.domain.runs import RunRecord
from tests.benchmarks.committed import Desk, desk_of
from tests.benchmarks.databases import POSTGRES, conninfo_of, postgresql
from tests.benchmarks.figures import Report, Shown, percentile, table
from tests.benchmarks.in_process import in_process, question_of
from tests.benchmarks.messages import samples
from tests.benchmarks.replayed import replaying

RUNS, AT_ONCE, ROUNDS = 400, 4, 3
SHARE = 0.7
_WARM_UP = 20
_YARDSTICK = Path(__file__).with_name("checkpointed.py")


def measure(runs: int = RUNS) -> Report:
    """Both in turn, a few rounds, on each database there is; the ratio is of the rounds' medians."""
    rows: list[dict[str, Any]] = []
    for kind in ("sqlite", *(("postgres",) if POSTGRES else ())):
        for at_once in (1, AT_ONCE):
            rounds = [_pair(kind, runs, at_once) for _ in range(ROUNDS)]
            rows += [_median(kind, at_once, way, [each[way] for each in rounds if way in each]) for way in rounds[0]]
    columns = ("", "at once", "p50 ms", "cpu ms a run", "runs/s", "runs/s a core")
    shown = table(
        "five trivial steps, the same sections, every run durable",
        columns,
        [
            (row["way"], row["at_once"], row["p50_ms"], row["cpu_ms"], row["runs_per_second"], 1_000 / row["cpu_ms"])
            for row in rows
        ],
    )
    return Report("orchestration", (shown,), {"rows": rows}, tuple(_shown(rows)))


def _pair(kind: str, runs: int, at_once: int) -> dict[str, dict[str, Any]]:
    with TemporaryDirectory(prefix="bench-") as name, _databases(kind, Path(name)) as (ours, theirs):
        sections = Path(name) / "sections.json"
        found = {f"ours, {kind}": asyncio.run(_ours(ours, runs, at_once, sections))}
        if python := os.environ.get("SUPPORT_BENCH_LANGGRAPH"):
            words = ("--sections", str(sections), "--url", theirs, "--runs", str(runs), "--at-once", str(at_once))
            ended = subprocess.run([python, str(_YARDSTICK), kind, *words], check=True, capture_output=True, text=True)
            found[f"LangGraph, {kind}"] = json.loads(ended.stdout.splitlines()[-1])
    return found


@contextmanager
def _databases(kind: str, folder: Path) -> Iterator[tuple[str, str]]:
    """Give out an empty database for each of the two."""
    if kind == "sqlite":
        yield "", str(folder / "graph.db")
        return
    with postgresql() as ours, postgresql() as theirs:
        upgrade(ours)
        yield ours, conninfo_of(theirs)


async def _ours(url: str, runs: int, at_once: int, sections: Path) -> dict[str, Any]:
    settings = {"worker_concurrency": at_once, **({"database_url": url} if url else {})}
    async with in_process(1, settings) as container:
        question = question_of(next(iter(samples(1, series="O"))))
        record = await container.asking.ask(question, DEFAULT_WORKSPACE)
        await asyncio.to_thread(sections.write_text, json.dumps(_written(record, question.text)), encoding="utf-8")
        replayed = desk_of(container, replaying(container.runner.pipeline, record))
        await _timed(replayed, question, _WARM_UP, at_once)
        return await _timed(replayed, question, runs, at_once)


async def _timed(replayed: Desk, question: Question, runs: int, at_once: int) -> dict[str, Any]:
    """Messages are stored before the clock runs: it is about what follows, from the claim to the committed card."""
    cards = [await replayed.store(question, DEFAULT_WORKSPACE) for _ in range(runs)]
    seconds: list[float] = []
    began = last = time.monotonic()
    cpu = time.process_time()
    async with replayed.working():
        for ended in asyncio.as_completed(cards):
            record = await ended
            assert record.outcome.has_draft, "a run that drafts nothing is not the same work"
            seconds.append((time.monotonic() - last) * at_once)
            last = time.monotonic()
        wall, cpu = time.monotonic() - began, time.process_time() - cpu
    return {"seconds": seconds, "cpu_ms": cpu * 1_000 / runs, "runs_per_second": runs / wall}


def _written(record: RunRecord, message: str) -> dict[str, str]:
    """The sections as the yardstick's steps return them."""
    found = {name: section.model_dump_json() for name, section in record.sections if section is not None}
    rest = record.model_dump_json(exclude={"sections"})
    return {"message": message, **found, "record": rest}


def _median(kind: str, at_once: int, way: str, rounds: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "way": way,
        "kind": kind,
        "at_once": at_once,
        "p50_ms": median(percentile(each["seconds"], 0.5) for each in rounds) * 1_000,
        "cpu_ms": median(each["cpu_ms"] for each in rounds),
        "cpu_ms_rounds": [round(each["cpu_ms"], 2) for each in rounds],
        "runs_per_second": median(each["runs_per_second"] for each in rounds),
    }


def _shown(rows: list[dict[str, Any]]) -> Iterator[Shown]:
    for ours in [row for row in rows if row["way"].startswith("ours")]:
        for theirs in rows:
            if theirs is not ours and (theirs["kind"], theirs["at_once"]) == (ours["kind"], ours["at_once"]):
                ratio = ours["cpu_ms"] / theirs["cpu_ms"]
                what = (
                    f"{ours['kind']}, {ours['at_once']} at once: processor {ratio:.2f} of LangGraph's, ≤ {SHARE} asked"
                )
                yield Shown(what, ratio <= SHARE)
