"""Groups questions that the articles did not answer, so that somebody may write one; it reads and stores nothing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from support_agents.ports import Vector
from support_agents.screening.terms import terms

# Cosine from which two messages ask the same: of 630 reworded questions 86 % of the pairs in a group then do, and 79 %
# of such pairs meet (`tests/evals/measure_gaps.py`).
ALIKE = 0.65
# Of the words of a proposed reply, so many must be left in the sent one; with fewer, people wrote it anew.
KEPT = 0.6
EXAMPLES = 3
_LONGEST_TITLE = 80


class Why(StrEnum):
    """What was missing."""

    NOTHING_FOUND = "nothing_found"
    REWRITTEN = "rewritten"


@dataclass(frozen=True)
class Question:
    """One message, masked; `ask` is the part of it that asks, and `why` it stands here."""

    text: str
    ask: str
    intent: str
    language: str
    why: Why


class Gap(BaseModel):
    """Questions that one article might answer."""

    model_config = ConfigDict(frozen=True)

    title: str = Field(description="what an article might be called: the shortest of the asks in the middle")
    questions: int
    why: dict[Why, int]
    intents: dict[str, int]
    languages: dict[str, int]
    examples: tuple[str, ...] = Field(description="messages, masked, the most typical first")


def is_rewritten(proposed: str, left: str) -> bool:
    """Whether so little of the proposed words is left that people wrote another reply."""
    before = Counter(terms(proposed))
    total = before.total()
    return total > 0 and (before & Counter(terms(left))).total() < KEPT * total


def gaps(questions: Sequence[Question], vectors: Vector, *, least: int) -> tuple[Gap, ...]:
    """Return groups of at least `least` questions, largest first; `vectors[i]` is the unit vector of `questions[i]`.

    The question that most others are like gathers them and leaves with them, then the next one.
    """
    if not questions:
        return ()
    like = np.asarray(vectors @ vectors.T) >= ALIKE
    free = np.ones(len(questions), dtype=bool)
    found = []
    while free.any():
        near = (like & free[None, :]).sum(axis=1) * free
        middle = int(near.argmax())
        members = np.flatnonzero(like[middle] & free)
        free[members] = False
        if len(members) < max(least, 1):
            break
        nearest = members[np.argsort(-(vectors[members] @ vectors[middle]), kind="stable")]
        found.append(_gap([questions[at] for at in nearest]))
    return tuple(found)


def _gap(group: Sequence[Question]) -> Gap:
    return Gap(
        title=_title(group),
        questions=len(group),
        why=dict(Counter(one.why for one in group)),
        intents=dict(Counter(one.intent for one in group).most_common()),
        languages=dict(Counter(one.language for one in group).most_common()),
        examples=tuple(dict.fromkeys(one.text for one in group))[:EXAMPLES],
    )


def _title(group: Sequence[Question]) -> str:
    """Return the shortest ask of the half that is nearest to the middle: what all of them say, and little else."""
    typical = group[: max(1, (len(group) + 1) // 2)]
    said = min((" ".join(one.ask.split()) for one in typical if one.ask.strip()), key=len, default="")
    whole = said or " ".join(group[0].text.split())
    if len(whole) > _LONGEST_TITLE:
        whole = whole[:_LONGEST_TITLE].rpartition(" ")[0] + " …"
    return whole[:1].upper() + whole[1:]
