"""The work of `eval intents`: reads the files, has them measured, and shows the figures."""

from pathlib import Path

from rich.table import Table

from api.cli.installation import configured
from api.cli.output import figures_table, progress, remarks, results
from api.engines import embedding
from support_agents.evals.intents import Files, IntentFigures, measure
from support_agents.intents.labelled import Labelled


async def intents(*, train: Path, test: Path, out_of_scope: Path | None, valid: Path | None, as_json: bool) -> None:
    """Measure and print one table, or one JSON object."""
    files = Files(
        train=Labelled.read(train),
        test=Labelled.read(test),
        out_of_scope=Labelled.read(out_of_scope) if out_of_scope else None,
        valid=Labelled.read(valid) if valid else None,
    )
    with progress("intents", remarks()) as step, embedding(configured()) as embedder:
        figures = await measure(files, embedder, lambda _, done, total: step(done, total))
    if as_json:
        print(figures.model_dump_json())  # noqa: T201 - this is a command line
        return
    _show(figures)


def _show(figures: IntentFigures) -> None:
    results().print(figures_table(figures, left_out={"reliability"}))
    bins = Table("confidence", "right", "messages", box=None)
    for one in figures.reliability:
        bins.add_row(f"{one.confidence:.3f}", f"{one.accuracy:.3f}", str(one.messages))
    results().print(bins)
