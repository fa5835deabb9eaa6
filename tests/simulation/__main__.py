"""`make simulate`: sizes for 10 to 10,000 tickets a second from measured service times, and how true the model is."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from statistics import median

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
# Close to the limit one per cent more tickets doubles what they wait. A latency there agrees if the model has it at a
# rate that differs by so little.
WITHIN_OF_RATE = 0.10
_NEAR = (0.02, -0.02, 0.05, -0.05, WITHIN_OF_RATE, -WITHIN_OF_RATE)  # rates tried for it
_SEEDS = 5
_FEWEST = 3  # processes of a kind of which at least so many tickets are a sample


@dataclass(frozen=True)
class Figures:
    """What is compared: milliseconds to the card, and cards a second."""

    p50: float
    p95: float
    per_second: float

    def off(self, real: "Figures") -> dict[str, float]:
        """By how much each is off what is real, as a share of it."""
        pairs = zip(fields(self), astuple(self), astuple(real), strict=True)
        return {field.name: (mine - its) / its for field, mine, its in pairs}


@dataclass(frozen=True)
class Compared:
    """One step of the measured ramp beside the same step in the model; `near` is the model at rates close by."""

    step: Step
    model: Figures
    near: Mapping[float, Figures]

    @property
    def real(self) -> Figures:
        """What was measured."""
        return Figures(self.step.p50, self.step.p95, self.step.per_second)

    @property
    def off(self) -> dict[str, float]:
        """By how much the model is off, as a share of what was measured."""
        return self.model.off(self.real)

    @property
    def moved(self) -> dict[str, float]:
        """Of latencies that are off: by what share of the rate, if a rate close by has them to within 20 %."""
        found = {}
        for name in ("p50", "p95"):
            fitting = [rate for rate, model in self.near.items() if abs(model.off(self.real)[name]) <= WITHIN]
            if abs(self.off[name]) > WITHIN and fitting:
                found[name] = min((rate / self.step.rate - 1 for rate in fitting), key=abs)
        return found

    @property
    def agrees(self) -> int:
        """How many of the figures agree."""
        return sum(abs(off) <= WITHIN or name in self.moved for name, off in self.off.items())


def main() -> int:
    """Compare, plan, show; 1 if the model is off by more than it may be, 2 if nothing was measured."""
    told = _arguments()
    console = Console(width=160)
    try:
        measured = Measured.read(told.measured)
    except (OSError, KeyError):
        console.print(f'{told.measured} holds no ramp with speeds of cores: run `make load ARGS="redis --again"` first')
        return 2
    steps = track(measured.steps, "comparing", console=console, transient=True)
    compared = [_compared(measured, step) for step in steps]
    lines = _compared_lines(compared)
    console.print("\n".join(lines), markup=False, highlight=False)
    plans = [planned(measured, rate) for rate in track(RATES, "sizes", console=console, transient=True)]
    sizes = ["", *_planned_lines(measured, plans)]
    console.print("\n".join(sizes), markup=False, highlight=False)
    lines += sizes
    if told.write:
        put(told.write, HEADING, "\n".join([HEADING, "", *lines, ""]))
    return 0 if all(each.agrees == len(each.off) for each in compared) else 1


def _compared(measured: Measured, step: Step) -> Compared:
    machine = Size(shared_cores=measured.cores, others_cores=step.others_cores)

    def figures(rate: float) -> Figures:
        """Medians of several seeds."""
        tickets = max(_FEWEST, round(rate * step.seconds))
        outcomes = [
            Installation(step.costs, measured.lone, machine, weather=step.weather, seed=seed).run(
                rate, tickets, evenly=True
            )
            for seed in range(_SEEDS)
        ]
        p50, p95 = (median(percentile(each.card_ms, share) for each in outcomes) for share in (0.5, 0.95))
        return Figures(p50, p95, median(each.per_second for each in outcomes))

    alone = Compared(step, figures(step.rate), {})
    if alone.agrees == len(alone.off):
        return alone
    return replace(alone, near={rate: figures(rate) for rate in (step.rate * (1 + share) for share in _NEAR)})


def _compared_lines(compared: Sequence[Compared]) -> list[str]:
    paired = [f"{name} measured / model" for name in ("p50 ms", "p95 ms", "cards a second")]
    columns = ("tickets a second", "others' cores", *paired)
    rows = [_row((*columns, "most off", "the model has it at a rate of")), _row(("---", *["---:"] * 6))]
    for each in compared:
        step = each.step
        real, model = each.real, each.model
        pairs = ((real.p50, model.p50), (real.p95, model.p95))
        cells = [f"{real:,.0f} / {model:,.0f}" for real, model in pairs]
        rate = f"{real.per_second:.1f} / {model.per_second:.1f}"
        worst = max(each.off.values(), key=abs)
        moved = ", ".join(f"{name} {share:+.0%}" for name, share in each.moved.items())
        rows.append(_row((f"{step.rate:g}", f"{step.others_cores:.2f}", *cells, rate, f"{worst:+.0%}", moved)))
    within = sum(abs(off) <= WITHIN for each in compared for off in each.off.values())
    agreeing = sum(each.agrees for each in compared)
    every = sum(len(each.off) for each in compared)
    return [
        *rows,
        "",
        f"{within} of {every} figures are within {WITHIN:.0%}; {agreeing - within} more the model has at a rate that",
        f"differs by {WITHIN_OF_RATE:.0%} at most. It is fed with each step's processor times, with how quick each",
        "core was from moment to moment and with the latencies of the slowest step; all else is its own, medians of",
        f"{_SEEDS} seeds.",
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
