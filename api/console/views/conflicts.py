"""What articles say against the policy in force, as the figures show it; it compares nothing."""

from dataclasses import dataclass

from api.conflicts import Conflict, Conflicts
from api.console.views.figures import Figure
from approvals.wording import Tone

_MOST_SHOWN = 20


@dataclass(frozen=True)
class ConflictRow:
    """A sentence that no draft repeats; `where` is its article and heading."""

    where: str
    sentence: str
    reason: str


@dataclass(frozen=True)
class ConflictsView:
    """The first of them, and what to say of the others; nothing at all where there are none."""

    rows: tuple[ConflictRow, ...]
    note: str


def shown_conflicts(found: Conflicts | None) -> ConflictsView:
    """Put the list together; None is told as being looked for."""
    if found is None:
        return ConflictsView((), "Articles are being compared with the policy. Load the page again in a moment.")
    more = len(found) - _MOST_SHOWN
    note = f"{more} more: support-agents kb conflicts names all." if more > 0 else ""
    return ConflictsView(tuple(map(_row, found[:_MOST_SHOWN])), note)


def conflict_figures(found: Conflicts | None) -> tuple[Figure, ...]:
    """How many there are, where there are any."""
    if not found:
        return ()
    told = "sentence of an article says" if len(found) == 1 else "sentences of articles say"
    return (Figure(str(len(found)), f"{told} something else than the policy", Tone.CARE),)


def _row(conflict: Conflict) -> ConflictRow:
    where = " › ".join(filter(None, (conflict.article, conflict.heading)))
    return ConflictRow(where, " ".join(conflict.sentence.split()), conflict.reason)
