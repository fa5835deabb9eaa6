"""`make chaos`: tickets flow while everything breaks; stop it with Ctrl-C, start it again to go on."""

import argparse
import signal
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.chaos.estate import BROKERS
from tests.chaos.faults import WEIGHTS
from tests.chaos.round import Round
from tests.soak.state import BREAKS, State, found

TOLD_EVERY = 20.0  # seconds between lines where there is no terminal


def main() -> int:
    """Run rounds, show, tell; 1 if anything was found, or if there is more to do."""
    told = _arguments()
    console = Console(width=None if sys.stdout.isatty() else 140)
    state = State.open(told.folder / "rounds.jsonl")
    for each in (signal.SIGINT, signal.SIGTERM):  # a shell that starts it in the background has it ignore Ctrl-C
        signal.signal(each, signal.default_int_handler)
    try:
        while state.total("tickets") < told.tickets and not state.broken:
            state.add(_round(told, state, console))
    except KeyboardInterrupt:
        console.print("stopped; start it again to go on")
    return _tell(state, told.tickets, console)


def _round(told: argparse.Namespace, state: State, console: Console) -> dict[str, object]:
    left = min(told.round, told.tickets - state.total("tickets"))
    seed = max(told.seed, state.next_seed)
    broker = told.brokers[len(state.lines) % len(told.brokers)]
    faults = max(1, round(told.faults * left / told.tickets))
    made = Round(seed=seed, broker=broker, tickets=left, faults=faults, per_second=told.per_second)
    columns = (TextColumn(f"seed {seed}, {broker}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
               TextColumn("{task.description}"))  # fmt: skip
    # No thread of its own: it would be in the way of forks.
    with Progress(*columns, console=console, auto_refresh=False) as progress:
        task, last = progress.add_task("starts", total=told.tickets), [0.0]

        def tell(what: str) -> None:
            progress.update(task, description=what, completed=state.total("tickets"))
            progress.refresh()
            if not console.is_terminal and time.monotonic() > last[0] + TOLD_EVERY:
                last[0] = time.monotonic()
                console.print(f"seed {seed}, {broker}: {what}", markup=False)

        return made.run(tell)


def _tell(state: State, wanted: int, console: Console) -> int:
    faults = state.counts("faults")
    kinds = Table("fault", "injected", title="faults, while tickets flowed", title_justify="left")
    for kind in WEIGHTS:
        kinds.add_row(kind, f"{faults[kind]:,}")
    kinds.add_row("all", f"{faults.total():,}")
    console.print(kinds)
    table = Table("", "", show_header=False)
    executions = state.counts("ends")
    for name, count in (
        ("rounds", len(state.lines)),
        ("messages accepted", state.total("tickets")),
        ("deliveries, repeated ones included", state.total("deliveries")),
        ("approvals clicked", state.total("clicks")),
        ("effects outside (letters, refunds)", state.total("effects")),
        *((f"executions {end}", count) for end, count in sorted(executions.items())),
        ("processes that ended by themselves and were started again", state.counts("ended_by_themselves").total()),
        *((kind, state.total(kind)) for kind in BREAKS),
    ):
        table.add_row(name, f"{count:,}")
    console.print(table)
    console.print("executions in doubt: nobody but a person can tell, and each is in front of one")
    if impossible := state.counts("impossible"):
        missed = ", ".join(f"{kind} {count}" for kind, count in sorted(impossible.items()))
        console.print(f"planned and not counted, for nothing was there to break: {missed}")
    for line in found(state.broken)[:40]:
        console.print(line, markup=False)
    return 1 if state.broken or state.total("tickets") < wanted else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--tickets", type=int, default=5_000, help="how many messages in all")
    parser.add_argument("--faults", type=int, default=240, help="how many faults in all")
    parser.add_argument("--round", type=int, default=1_000, help="messages of one round, on servers of its own")
    parser.add_argument("--per-second", type=float, default=8.0, help="messages sent in a second")
    parser.add_argument("--seed", type=int, default=1, help="of the first round")
    parser.add_argument("--brokers", nargs="+", choices=[*BROKERS], default=[*BROKERS], help="in turn, a round each")
    parser.add_argument("--folder", type=Path, default=Path(".chaos"), help="what is finished is remembered here")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
