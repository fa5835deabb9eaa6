"""How much other work feels a core that others slow down, beside the piece of Python by which `make load` tells it."""

import argparse
import math
import os
import sys
import time
from collections.abc import Callable
from statistics import correlation, fmean, linear_regression

from sqlalchemy import column, select, table
from sqlalchemy.dialects import postgresql

from support_agents.adapters.onnx import MiniLm
from tests.benchmarks.messages import samples
from tests.load.speed import piece_of_work

_TOGETHER = 15  # pairs of which one mean is made: a neighbour comes and goes within milliseconds
_PAUSE = 0.02


def main() -> int:
    """Measure on one core and print the exponents; 1 if the core was never disturbed enough to tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.felt", description=__doc__)
    parser.add_argument("--seconds", type=float, default=40.0)
    until = time.monotonic() + parser.parse_args().seconds
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    model, message = MiniLm.load(threads=1), samples(1, series="F")[0].body().decode()
    works: dict[str, Callable[[], object]] = {
        "embedding": lambda: model.vectors([message]),
        "SQL in Python": _statements,
    }
    probes: list[float] = []
    found: dict[str, list[float]] = {name: [] for name in works}
    while time.monotonic() < until:
        probes.append(min(piece_of_work(), piece_of_work()))
        for name, work in works.items():
            began = time.thread_time()
            work()
            found[name].append(time.thread_time() - began)
        time.sleep(_PAUSE)
    told = _logarithms(probes)
    slowest = math.exp(max(told) - min(told))
    print(f"{len(told)} means of {_TOGETHER}; the slowest took {slowest:.1f} times as long as the quickest")  # noqa: T201
    for name, seconds in found.items():
        own = _logarithms(seconds)
        print(f"{name}: exponent {linear_regression(told, own).slope:.2f}, correlation {correlation(told, own):.2f}")  # noqa: T201
    return 0 if slowest >= 1.3 else 1


def _statements() -> None:
    rows = table("rows", column("id"), column("text"))
    for at in range(6):
        wanted = select(rows.c.id, rows.c.text).where(rows.c.id == at).order_by(rows.c.text)
        wanted.compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call] # SQLAlchemy's


def _logarithms(values: list[float]) -> list[float]:
    whole = range(0, len(values) - _TOGETHER, _TOGETHER)
    return [math.log(fmean(values[start : start + _TOGETHER])) for start in whole]


if __name__ == "__main__":
    sys.exit(main())
