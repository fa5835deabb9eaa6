"""The work of `eval grounding`: reads the file, has it measured, and shows the figures."""

from pathlib import Path

from rich.table import Table

from api.cli.installation import configured
from api.cli.output import progress, remarks, results
from api.engines import entailment_model
from support_agents.evals.grounding import DomainFigures, GroundingFigures, measure
from support_agents.evals.grounding_rows import grounding_rows


def grounding(*, data: Path, language: str, as_json: bool) -> None:
    """Measure and print tables, or one JSON object."""
    rows = grounding_rows(data)
    model = entailment_model(configured())
    with progress("grounding", remarks()) as step:
        figures = measure(rows, language, step, entailment=model)
    if as_json:
        print(figures.model_dump_json())  # noqa: T201 - this is a command line
        return
    _show(figures)


def _show(figures: GroundingFigures) -> None:
    table = Table("domain", "rows", "balanced accuracy", "wrong flagged", "right passed", box=None)
    for name, one in (*figures.domains.items(), ("all", figures)):
        table.add_row(name, *_cells(one))
    results().print(table)
    signs = Table("sign", "rows", "really wrong", box=None)
    for name, sign in figures.signs.items():
        signs.add_row(name.replace("_", " "), str(sign.rows), _percent(sign.wrong))
    results().print(signs)
    results().print(f"{figures.p50_ms} ms a text (median), {figures.p99_ms} ms (99 %)")
    if figures.entailment:
        results().print(f"the entailment model {figures.entailment} was asked too")


def _cells(one: DomainFigures) -> tuple[str, ...]:
    shares = (one.balanced_accuracy, one.wrong_flagged, one.right_passed)
    return (str(one.rows), *(_percent(share) for share in shares))


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"
