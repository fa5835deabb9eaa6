"""The work of `eval screening` and `eval pii`: reads the files, has them measured, and shows the figures."""

from pathlib import Path

from rich.table import Table

from api.cli.installation import configured
from api.cli.output import figures_table, progress, remarks, results
from api.engines import detecting, pii_finder
from support_agents.evals import pii as pii_figures
from support_agents.evals import screening as screening_figures


async def screening(files: screening_figures.Files, *, as_json: bool) -> None:
    """Measure and print one table, or one JSON object; a sentence that comes again is embedded once."""
    samples = files.samples()
    with progress("screening", remarks()) as step, detecting(configured()) as detector:
        figures = await screening_figures.measure(samples, detector, step)
    if as_json:
        print(figures.model_dump_json())  # noqa: T201 - this is a command line
        return
    results().print(figures_table(figures, left_out={"recall_by_place"}))
    for place, recall in figures.recall_by_place.items():
        results().print(f"recall at the {place}: {recall}")


def pii(data: Path, *, as_json: bool) -> None:
    """Measure and print two tables, or one JSON object."""
    texts = pii_figures.Marked.read(data)
    with progress("texts", remarks()) as step:
        report = pii_figures.measure(texts, pii_finder(configured()), step)
    if as_json:
        print(report.model_dump_json())  # noqa: T201 - this is a command line
        return
    table = Table("type", "precision", "recall", "F1", "found", "marked", box=None)
    rows = {**report.by_type, "identifiers": report.identifiers, "all": report}
    for name, one in rows.items():
        figures = (one.precision, one.recall, one.f1, one.found, one.marked)
        table.add_row(name.casefold().replace("_", " "), *map(str, figures))
    results().print(table)
    if report.not_looked_for:
        others = ", ".join(f"{name} {count}" for name, count in report.not_looked_for.items())
        results().print(f"not looked for: {others}")
