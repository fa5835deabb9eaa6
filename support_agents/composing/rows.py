"""A table row as retrieval stores it – `Country: France; Standard: 3 days` – as one line; it adds no word."""

from dataclasses import dataclass

_PARTS = 2
_MOST_NAMES = 3
_LONGEST_LABEL = 40


@dataclass(frozen=True)
class Row:
    """The first cell is what the row is about; the others say something of it."""

    about: str
    cells: tuple[tuple[str, str], ...]

    def written(self, *, only: frozenset[str] = frozenset()) -> str:
        """Return the row as a line; of a long first cell only the names in `only` (lower case) are kept."""
        names = [name.strip() for name in self.about.split(",")]
        kept = [name for name in names if name.casefold() in only] if len(names) > _MOST_NAMES else []
        values = "; ".join(f"{label}: {value}" for label, value in self.cells)
        return f"{', '.join(kept or names)} – {values}."

    @property
    def names(self) -> frozenset[str]:
        """What the row is about, in lower case."""
        return frozenset(name.strip().casefold() for name in self.about.split(","))


def read_row(line: str) -> Row | None:
    """Read a line of at least two labelled cells; None for any other text."""
    cells = [tuple(cell.split(": ", 1)) for cell in line.split("; ")]
    if len(cells) < _PARTS or any(len(cell) != _PARTS or len(cell[0]) > _LONGEST_LABEL for cell in cells):
        return None
    if line.endswith((".", "!", "?")):
        return None
    (_, about), *rest = cells
    if not any(c.isalpha() for c in about):
        return None  # a size or an amount: which row is meant takes more than a shared number
    return Row(about, tuple((label, value) for label, value in rest))
