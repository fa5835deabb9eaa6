"""`make simulate`: sizes for 10 to 10,000 tickets a second from measured service times, and how true the model is."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import track

from tests.benchmarks.figures import percentile
from tests.load.shown import put
from tests.simulation.measured import Measured, Step
from tests.simulation.model import Installation, Size
from tests.simulation.planning import CORE_HOUR, FULLEST, Planned, planned

HEADING = "## How big it gets"
RATES = (10.0, 100.0, 1_000.0, 10_000.0)
WITHIN = 0.20
_FEWEST = 3  # processes of a kind of which at least so many tickets are a sample


@dataclass(frozen=True)
class Compared:
    """One step of the measured ramp beside the same step in the model."""

    step: Step
    p50: float
    p95: float
    per_second: float

    @property
    def off(self) -> dict[str, float]:
        """By how much the model is off, as a share of what was measured."""
        step = self.step
        pairs = {
            "p50": (self.p50, step.p50),
            "p95": (self.p95, step.p95),
            "cards a second": (self.per_second, step.per_second),
        }
        return {name: (model - real) / real for name, (model, real) in pairs.items()}


def main() -> int:
    """Compare, plan, show; 1 if the model is off by more than it may be."""
    told = _arguments()
    measured = Measured.read(told.measured)
    console = Console(width=160)
    compared = [_compared(measured, step) for step in measured.steps]
    lines = _compared_lines(compared)
    console.print("\n".join(lines), markup=False, highlight=False)
    plans = [planned(measured, rate) for rate in track(RATES, "sizes", console=console, transient=True)]
    sizes = ["", *_planned_lines(measured, plans)]
    console.print("\n".join(sizes), markup=False, highlight=False)
    lines += sizes
    if told.write:
        put(told.write, HEADING, "\n".join([HEADING, "", *lines, ""]))
    return 0 if all(abs(off) <= WITHIN for each in compared for off in each.off.values()) else 1


def _compared(measured: Measured, step: Step) -> Compared:
    machine = Size(shared_cores=measured.cores, others_cores=step.others_cores)
    model = Installation(step.costs, measured.lone, machine)
    outcome = model.run(step.rate, max(_FEWEST, round(step.rate * step.seconds)), evenly=True)
    middle, high = (percentile(outcome.card_ms, share) for share in (0.5, 0.95))
    return Compared(step, middle, high, outcome.per_second)


def _compared_lines(compared: Sequence[Compared]) -> list[str]:
    paired = [f"{name} measured / model" for name in ("p50 ms", "p95 ms", "cards a second")]
    columns = ("tickets a second", "others' cores", *paired)
    rows = [_row((*columns, "most off")), _row(("---", *["---:"] * 5))]
    for each in compared:
        step = each.step
        worst = max(each.off.values(), key=abs)
        pairs = ((step.p50, each.p50), (step.p95, each.p95))
        cells = [f"{real:,.0f} / {model:,.0f}" for real, model in pairs]
        rate = f"{step.per_second:.1f} / {each.per_second:.1f}"
        rows.append(_row((f"{step.rate:g}", f"{step.others_cores:.2f}", *cells, rate, f"{worst:+.0%}")))
    within = sum(abs(off) <= WITHIN for each in compared for off in each.off.values())
    every = sum(len(each.off) for each in compared)
    return [
        *rows,
        "",
        f"{within} of {every} figures are within {WITHIN:.0%}. The model is fed with each step's processor times",
        "(the machine's speed wobbles) and with the latencies of the slowest step; all else in its columns is its own.",
    ]


def _planned_lines(measured: Measured, plans: Sequence[Planned]) -> list[str]:
    costs = measured.costs
    kinds = ("api", "worker", "relay", "PostgreSQL cores", "brokers", "p99 ms")
    rows = [
        _row(("tickets a second", *kinds, "first to be full", "cores", "$ a million")),
        _row(("---", *["---:"] * len(kinds), "---", "---:", "---:")),
    ]
    for plan in plans:
        size = plan.size
        counts = (size.api, size.worker, size.relay, size.postgres_cores, size.brokers, round(plan.p99))
        first = f"{plan.first} ({plan.full[plan.first]:.0%})"
        sizes = [f"{each:,}" for each in counts]
        rows.append(_row((f"{plan.rate:,.0f}", *sizes, first, f"{plan.cores:,}", f"{plan.million:.2f}")))
    spent = (
        f"worker {costs.worker:.1f}, PostgreSQL {costs.postgres:.1f}, API {costs.api:.1f}, relay {costs.relay:.1f},"
        f" broker {costs.broker:.1f}, scheduler {costs.background:.1f}"
    )
    return [
        f"Milliseconds of processor a ticket, as measured: {spent}.",
        f"Tickets arrive by chance (Poisson), p99 within 2 s, no kind fuller than {FULLEST:.0%}, a core a process;",
        f"one scheduler. A core costs ${CORE_HOUR:.2f} an hour (assumed; without storage, network and people).",
        "",
        *rows,
    ]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--measured", type=Path, default=Path(".load/redis.json"), help="what `make load` kept")
    parser.add_argument("--write", type=Path, help="put the tables into this file's section `How big it gets`")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
