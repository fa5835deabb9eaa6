"""Numbers and tables of counts as pages show them; it counts nothing."""

from dataclasses import dataclass

from approvals.wording import Tone
from db.read_models.levels import MOST


@dataclass(frozen=True)
class Figure:
    """One number that matters."""

    value: str
    words: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True)
class CountRow:
    """How often something happened; `share` is per cent of the table's largest."""

    words: str
    count: int
    share: float
    tone: Tone


@dataclass(frozen=True)
class CountTable:
    """Counts of one kind."""

    title: str
    rows: tuple[CountRow, ...]


def counted(number: int) -> str:
    """A count as words: nothing for none, and a plus where counting was ended."""
    return f"{MOST}+" if number >= MOST else str(number) if number else ""
