"""What a benchmark gives back: named figures, tables for people, and what had to be shown; it measures nothing."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True)
class Shown:
    """A bound that a figure had to keep."""

    what: str
    holds: bool


@dataclass(frozen=True)
class Report:
    """One benchmark's result."""

    name: str
    tables: tuple[Table, ...]
    figures: Mapping[str, object]
    shown: tuple[Shown, ...] = ()


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of all values do not exceed; NaN of none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return p50, p95, p99 and the largest, to a tenth."""
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {name: round(percentile(values, share), 1) for name, share in shares.items()}


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """Return a table whose first column is text and whose others are figures."""
    made = Table(title=title, title_justify="left", title_style="bold")
    for at, column in enumerate(columns):
        made.add_column(column, justify="left" if at == 0 else "right")
    for row in rows:
        made.add_row(*(f"{cell:,.1f}" if isinstance(cell, float) else str(cell) for cell in row))
    return made
