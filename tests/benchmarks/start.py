"""How long it takes from starting a process to the first answer: `serve` on a filled folder, and the whole demo."""

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from statistics import median

import httpx

from tests.benchmarks.figures import Report, Shown, table
from tests.benchmarks.installation import installed, url_of
from tests.benchmarks.messages import samples
from tests.benchmarks.sending import send_all
from tests.peers.product import Product

TIMES = 5
FIRST_ANSWER_MS = 6_000.0
_PHASE = re.compile(r"^\s*(\d+) ms  (.+)$", re.MULTILINE)


def measure() -> Report:
    """Start `serve` and the demo five times each."""
    results = {"serve": list(_serve()), "demo --once": [_demo() for _ in range(TIMES)]}
    rows = [
        (
            f"{name}: {phase}",
            median(run[phase] for run in runs),
            min(r[phase] for r in runs),
            max(r[phase] for r in runs),
        )
        for name, runs in results.items()
        for phase in runs[0]
        if all(phase in run for run in runs)
    ]
    shown = [
        Shown(
            f"{name}: first answer after {_first(runs):.0f} ms ≤ {FIRST_ANSWER_MS:.0f} ms",
            _first(runs) <= FIRST_ANSWER_MS,
        )
        for name, runs in results.items()
    ]
    title = f"milliseconds from the start of the process, {TIMES} starts"
    return Report("start", (table(title, ("", "median", "least", "most"), rows),), dict(results), tuple(shown))


def _first(runs: list[dict[str, float]]) -> float:
    return median(run["first answer"] for run in runs)


def _serve() -> Iterator[dict[str, float]]:
    with installed(TIMES) as running:
        running.start()  # makes the index, which later starts find
        asyncio.run(send_all(running, samples(1, series="W"), at_once=1))
        running.stop()
        for at in range(TIMES):
            yield _one_start(running, f"S{at}")


def _one_start(running: Product, series: str) -> dict[str, float]:
    began = time.monotonic()
    running.start()
    ready = time.monotonic()
    asyncio.run(send_all(running, samples(1, series=series), at_once=1))
    answered = time.monotonic()
    assert httpx.get(f"{url_of(running)}/healthz", trust_env=False).is_success
    running.stop()
    return {"ready": (ready - began) * 1_000, "first answer": (answered - began) * 1_000}


def _demo() -> dict[str, float]:
    command = [sys.executable, "-c", "from api.cli.main import main; main()", "demo", "--once", "--timings"]
    began = time.monotonic()
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    whole = (time.monotonic() - began) * 1_000
    if ended.returncode:
        raise RuntimeError(json.dumps([ended.stdout[-1_000:], ended.stderr[-1_000:]]))
    return {phase: float(ms) for ms, phase in _PHASE.findall(ended.stdout)} | {"whole demo": whole}
