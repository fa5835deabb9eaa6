"""A table row as retrieval stores it – `Country: France; Standard: 3 days` – as a sentence; it adds no fact."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

_PARTS = 2
_LONGEST_LABEL = 40


@dataclass(frozen=True)
class Row:
    """The first cell is what the row is about; the others say something of it."""

    about: str
    cells: tuple[tuple[str, str], ...]
    label: str = ""

    def written(self, *, only: frozenset[str] = frozenset()) -> str:
        """Return the row as a sentence about the names in `only` (lower case); empty where none is made for it."""
        names = [name.strip() for name in self.about.split(",")]
        about = next((name for name in names if name.casefold() in only), "")
        template = _templates().get((self.label.casefold(), *(label.casefold() for label, _ in self.cells)), "")
        values = {f"v{number}": _lower(value) for number, (_, value) in enumerate(self.cells, start=1)}
        if isinstance(template, Mapping):
            known = [f"v{n}" for n, (_, value) in enumerate(self.cells, start=1) if value.casefold() in _NOT]
            template = template["without" if known else "all"]
        return template.format(about=about, whole=self.about, **values) if template and about else ""

    @property
    def names(self) -> frozenset[str]:
        """What the row is about, in lower case."""
        return frozenset(name.strip().casefold() for name in self.about.split(","))


_NOT = frozenset({"not available", "nicht verfügbar", "no disponible", "non disponible"})


def _lower(value: str) -> str:
    return value[:1].lower() + value[1:] if value[:2].istitle() and not value[:1].isdigit() else value


@cache
def _templates() -> Mapping[tuple[str, ...], "str | Mapping[str, str]"]:
    """Sentences by the labels of a row, first what it is about."""
    data = yaml.load(
        files(__package__ or "").joinpath("rows.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
    )
    return {tuple(label.casefold() for label in one["labels"]): one["say"] for one in data}


def read_row(line: str) -> Row | None:
    """Read a line of at least two labelled cells; None for any other text."""
    cells = [tuple(cell.split(": ", 1)) for cell in line.split("; ")]
    if len(cells) < _PARTS or any(len(cell) != _PARTS or len(cell[0]) > _LONGEST_LABEL for cell in cells):
        return None
    if line.endswith((".", "!", "?")):
        return None
    (first, about), *rest = cells
    if not any(c.isalpha() for c in about):
        return None  # a size or an amount: which row is meant takes more than a shared number
    return Row(about, tuple((label, value) for label, value in rest), first)
