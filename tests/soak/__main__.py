"""`make soak`: very many approved actions and steps under faults; stop it with Ctrl-C, start it again to go on."""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from tests.soak import child
from tests.soak.ground import Ground, kinds
from tests.soak.state import BREAKS, State, found
from tests.soak.work import Kind, Work

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
TOLD_EVERY = 60.0  # seconds between lines where there is no terminal


def main() -> int:
    """Run, show, tell; 1 if anything was found, or if there is more to do."""
    told = _arguments()
    console = Console()
    scratch = Path(tempfile.mkdtemp(prefix="soak-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None))
    executions = Kind(
        "executions", "injected", told.executions, State.open(told.folder / "batches.jsonl"),
        tuple(Ground(kind, scratch, child.furnishing) for kind in kinds()), every=20,
    )  # fmt: skip
    steps = Kind(
        "steps", "steps", told.steps, State.open(told.folder / "walks.jsonl"),
        tuple(Ground(kind, scratch, child.migrating) for kind in kinds()),
    )  # fmt: skip
    work = Work((executions, steps), told.workers, told.kills)
    for each in (signal.SIGINT, signal.SIGTERM):  # a shell that starts it in the background has it ignore Ctrl-C
        signal.signal(each, signal.default_int_handler)
    try:
        _run(work, console)
    except KeyboardInterrupt:
        console.print("stopped; start it again to go on")
    finally:
        work.stop()
        shutil.rmtree(scratch, ignore_errors=True)
    return _tell(executions, steps, console)


def _run(work: Work, console: Console) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
               TimeRemainingColumn())  # fmt: skip
    told = time.monotonic()
    # No thread of its own: it would be in the way of forks.
    with Progress(*columns, console=console, auto_refresh=False) as progress:
        tasks = {kind.name: progress.add_task(kind.name, total=kind.wanted) for kind in work.kinds}
        while work.busy:
            work.step()
            for kind in work.kinds:
                progress.update(tasks[kind.name], completed=kind.done)
            progress.refresh()
            if not console.is_terminal and time.monotonic() > told + TOLD_EVERY:
                told = time.monotonic()
                broken = sum(len(kind.state.broken) for kind in work.kinds)
                console.print(*(f"{kind.done:,} {kind.name}," for kind in work.kinds), f"{broken} broken")
            time.sleep(0.1)


def _tell(executions: Kind, steps: Kind, console: Console) -> int:
    state, walks = executions.state, steps.state
    table = Table("", "", show_header=False)
    for name, count in (
        ("executions with a fault injected", executions.done),
        ("faults injected", state.counts("faults").total()),
        ("processes ended by SIGKILL", state.total("kills")),
        ("effects outside", state.total("effects")),
        *((f"ended {end}", count) for end, count in sorted(state.counts("ends").items())),
        ("steps of the state machine", steps.done),
        *((kind, state.total(kind) + walks.total(kind)) for kind in BREAKS),
    ):
        table.add_row(name, f"{count:,}")
    console.print(table)
    console.print("in doubt: nobody but a person can tell, and each is in front of one")
    for line in found(state.broken + walks.broken)[:40]:
        console.print(line, markup=False)
    databases = ", ".join(sorted({line["kind"] for line in state.lines + walks.lines})) or "none"
    console.print(f"databases: {databases}; batches: {len(state.lines)}; walks: {len(walks.lines)}")
    unfinished = executions.done < executions.wanted or steps.done < steps.wanted
    return 1 if state.broken or walks.broken or unfinished else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executions", type=int, default=100_000, help="how many, each with at least one fault")
    parser.add_argument("--steps", type=int, default=20_000, help="of the state machine")
    parser.add_argument("--folder", type=Path, default=Path(".soak"), help="what is finished is remembered here")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kills", type=float, default=0.03, help="share of executions that meet a SIGKILL")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
