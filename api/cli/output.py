"""Where commands write: results to standard output, progress and remarks to standard error; it formats no content."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from pydantic import BaseModel
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

_WIDTH_OF_A_PIPE = 180

Step = Callable[[int, int], None]


def results() -> Console:
    """Return the console for what was asked for; a pipe or a file is as wide as a table needs."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_WIDTH_OF_A_PIPE)


def remarks() -> Console:
    """Return the console for what is said beside it."""
    return Console(stderr=True, highlight=False)


def figures_table(figures: BaseModel, *, left_out: Collection[str] = ()) -> Table:
    """Return a table of names and values; a value that there is none of is a dash."""
    table = Table("figure", "value", box=None)
    for name, value in figures.model_dump(exclude={*left_out}).items():
        table.add_row(name.replace("_", " "), "–" if value is None else str(value))
    return table


@contextmanager
def progress(label: str, console: Console) -> Iterator[Step]:
    """Show a bar on a terminal, nothing elsewhere; the step takes `(done, total)`."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
