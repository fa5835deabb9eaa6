"""`make load`: ramp, steady load, spike and soak of each kind of installation; what is measured is kept."""

import argparse
import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from tests.load.installations import KINDS, Loaded, started
from tests.load.phases import Phase, Result, measured, phases
from tests.load.shown import HEADING, memory, plot, processor, put, section, table
from tests.load.watching import Slope

_TITLES = {
    "serve": "One process (`serve`, SQLite)",
    "redis": "Several processes, PostgreSQL and Redis",
    "rabbitmq": "Several processes, PostgreSQL and RabbitMQ",
}
_AT_TEN, _CARD_MS = "ramp 10/s", 250.0
_GIVEN_UP = 0.5  # a ramp ends where fewer cards than this are in time
_WARM_UP = Phase("warm-up", ((8.0, 15.0),))


def main() -> int:
    """Measure what is not yet known, show it, and say which promises hold; 1 if one does not."""
    told = _arguments()
    console = Console(width=None if sys.stdout.isatty() else 200)
    told.folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, dict[str, Any]] = {}
    # A shell that starts it in the background has it ignore Ctrl-C; what was started is ended in any case.
    for told_by in (signal.SIGINT, signal.SIGTERM):
        signal.signal(told_by, signal.default_int_handler)
    for kind in told.kinds:
        file = told.folder / f"{kind}.json"
        found[kind] = json.loads(file.read_text()) if file.exists() and not told.again else _empty(kind)
        for name, figures in _measured(kind, found[kind]["phases"], told, console):
            found[kind]["phases"][name] = figures
            file.write_text(json.dumps(found[kind]) + "\n", encoding="utf-8")
        _show(kind, found[kind]["phases"], console)
    if told.write:
        put(told.write, HEADING, section(found))
    broken = [f"{kind}: {each}" for kind, held in found.items() for each in _broken(held["phases"])]
    for each in broken:
        console.print(f"✗ {each}", style="red", markup=False)
    return 1 if broken else 0


def _empty(kind: str) -> dict[str, Any]:
    return {"title": _TITLES[kind], "cores": os.cpu_count(), "phases": {}}


def _measured(
    kind: str, known: Mapping[str, Any], told: argparse.Namespace, console: Console
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Carry out the phases that are missing, one after another on one installation."""
    wanted = phases(told.phases, steady=told.rate, seconds=told.seconds, minutes=told.minutes)
    missing = [phase for phase in wanted if phase.name not in known]
    if not missing:
        return
    console.print(f"{kind}: starts")
    with started(kind, _WARM_UP.count + sum(phase.count for phase in missing), told.workers) as loaded:
        first = _WARM_UP.count
        measured(loaded, _WARM_UP, f"{kind[0]}w", 0)
        over = False
        for at, phase in enumerate(missing):
            if over and phase.name.startswith("ramp"):
                continue
            result = _one(loaded, phase, f"{kind[0]}{at}x", first, console)
            over = over or (phase.name.startswith("ramp") and result.in_time < _GIVEN_UP)
            first += phase.count
            yield phase.name, {**result.figures(), "samples_ms": [round(each, 1) for each in result.cards]}


def _one(loaded: Loaded, phase: Phase, series: str, first: int, console: Console) -> Result:
    result = measured(loaded, phase, series, first)
    card = result.figures()["card_ms"]
    console.print(
        f"  {phase.name}: {len(result.cards):,} cards, {result.per_second:.1f} a second, {card} ms,"
        f" {result.in_time:.1%} in time, others {result.others_cores:.1f} cores",
        markup=False,
    )
    return result


def _show(kind: str, known: Mapping[str, Any], console: Console) -> None:
    console.rule(_TITLES[kind])
    for line in (*table(known), *plot(known), processor(known), *memory(known)):
        console.print(line, markup=False)


def _broken(known: Mapping[str, Any]) -> Iterator[str]:
    for name, each in known.items():
        if each["lost"]:
            yield f"{name}: {each['lost']} accepted messages without a card"
        for process, slope in each["memory"].items():
            if Slope(**slope).grows:
                yield f"{name}: {process} grows by {slope['mb_an_hour']:.1f} MB an hour"
    if _AT_TEN in known and known[_AT_TEN]["card_ms"]["p95"] > _CARD_MS:
        yield f"{_AT_TEN}: card ready p95 {known[_AT_TEN]['card_ms']['p95']:.0f} ms, ≤ {_CARD_MS:.0f} asked for"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("kinds", nargs="*", default=[*KINDS], help=f"any of: {', '.join(KINDS)} (all)")
    names = ("ramp", "steady", "spike", "soak")
    parser.add_argument("--phases", nargs="+", choices=names, default=[*names])
    parser.add_argument("--rate", type=float, default=25.0, help="messages a second, steady and at the spike's top")
    parser.add_argument("--seconds", type=float, default=40.0, help="of the steady phase; a step of the ramp is half")
    parser.add_argument("--minutes", type=float, default=60.0, help="of the soak")
    parser.add_argument("--workers", type=int, default=1, help="worker processes, where there are several processes")
    parser.add_argument("--folder", type=Path, default=Path(".load"), help="what is measured is kept here")
    parser.add_argument("--again", action="store_true", help="forget what was measured before")
    parser.add_argument("--write", type=Path, help="put tables and plots into this file's section `Load`")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
