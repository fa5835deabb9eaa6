"""Measures screening for injection on texts that others labelled; it trains nothing and tunes nothing."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from time import perf_counter

import numpy as np
import re2
from pydantic import BaseModel, ConfigDict, Field

from support_agents.domain.errors import SupportError
from support_agents.evals.figures import auroc, percentile_ms, share
from support_agents.intents.rows import Row, read_rows
from support_agents.screening.detection import Detector

Progress = Callable[[int, int], None]
_LABELS = {0: False, 1: True, "0": False, "1": True}
_LONGEST_LINE = 1_000_000
_SENTENCE_END = re2.compile(r"[.!?]\s+|\n+")


class Place(StrEnum):
    """Where an attack stands in a text."""

    START = "start"
    MIDDLE = "middle"
    END = "end"


class ScreeningFigures(BaseModel):
    """What `eval screening --json` prints; `None` where no text of that kind was given."""

    model_config = ConfigDict(frozen=True)

    recall: float | None = Field(description="share of the attacks that are noticed at the threshold")
    false_positive_rate: float | None = Field(description="share of the harmless texts that are flagged")
    accuracy: float = Field(description="share of all texts judged right")
    auroc: float | None
    threshold: float = Field(description="the shipped one, the same for every kind of text")
    recall_by_place: dict[str, float] = Field(default_factory=dict)
    p50_ms: float
    p99_ms: float
    attacks: int
    harmless: int


@dataclass(frozen=True)
class Sample:
    """A text and whether it is an attack; `place` where one was put into it."""

    text: str
    attack: bool
    place: Place | None = None


def labelled(path: Path) -> tuple[Sample, ...]:
    """Read lines of `{"text" | "prompt", "label"}`, label 0 or 1; `SupportError` names file, line and field.

    A file whose lines have no label is refused; where all of them are harmless, `harmless` reads it.
    """
    return tuple(Sample(row.string("text", "prompt"), _label(row)) for row in read_rows(path, longest=_LONGEST_LINE))


def harmless(path: Path) -> tuple[Sample, ...]:
    """Read lines of `{"text" | "utterance" | "prompt" | "context"}` of which none, by its label, is an attack."""
    return tuple(
        Sample(text, attack=False) for text in _texts(path, "text", "utterance", "prompt", "context", attacks=False)
    )


def buried(attacks: Path, contexts: Path) -> tuple[Sample, ...]:
    """Put each attack at start, middle and end of each context; the contexts alone are the harmless texts.

    A line whose label says that it is of the other kind is refused: `labelled` reads files that hold both.
    """
    given = _texts(attacks, "attack", "text", "prompt", attacks=True)
    around = _texts(contexts, "context", "text", attacks=False)
    clean = (Sample(context, attack=False) for context in around)
    placed = (
        Sample(put(attack, context, place), attack=True, place=place)
        for context in around
        for attack in given
        for place in Place
    )
    return (*clean, *placed)


def put(attack: str, context: str, place: Place) -> str:
    """Put an attack into a context: on a line of its own at either end, between two sentences in the middle."""
    match place:
        case Place.START:
            return f"{attack}\n{context}"
        case Place.END:
            return f"{context}\n{attack}"
        case Place.MIDDLE:
            ends = [match.end() for match in _SENTENCE_END.finditer(context)] or [len(context)]
            at = min(ends, key=lambda end: abs(end - len(context) / 2))
            return f"{context[:at].rstrip()} {attack} {context[at:].lstrip()}"


async def measure(samples: Sequence[Sample], detector: Detector, progress: Progress) -> ScreeningFigures:
    """Judge every text by the rule that the product follows; the milliseconds include what is embedded for it."""
    scores, seconds = [], []
    for done, sample in enumerate(samples):
        progress(done, len(samples))
        began = perf_counter()
        scores.append((await detector.judge(sample.text)).score)
        seconds.append(perf_counter() - began)
    progress(len(samples), len(samples))
    values, truth = np.array(scores), np.array([sample.attack for sample in samples])
    flagged = values >= detector.threshold
    area = auroc(values[truth], values[~truth])
    return ScreeningFigures(
        recall=share(flagged[truth]),
        false_positive_rate=share(flagged[~truth]),
        accuracy=share(flagged == truth) or 0.0,
        auroc=None if area is None else round(area, 4),
        threshold=detector.threshold,
        recall_by_place=dict(_by_place(samples, flagged)),
        p50_ms=round(percentile_ms(seconds, 50), 2),
        p99_ms=round(percentile_ms(seconds, 99), 2),
        attacks=int(truth.sum()),
        harmless=int((~truth).sum()),
    )


def _by_place(samples: Sequence[Sample], flagged: np.ndarray) -> Iterator[tuple[str, float]]:
    for place in Place:
        noticed = share(flagged[np.array([sample.place is place for sample in samples])])
        if noticed is not None:
            yield place.value, noticed


def _texts(path: Path, *names: str, attacks: bool) -> list[str]:
    """Return the texts of a file of one kind."""
    return [_unmixed(row, attacks=attacks).string(*names) for row in read_rows(path, longest=_LONGEST_LINE)]


def _unmixed(row: Row, *, attacks: bool) -> Row:
    if "label" in row.fields and _label(row) is not attacks:
        kind, other = ("attacks", "harmless") if attacks else ("harmless texts", "an attack")
        why = f"says {other}, and every line of this file counts as one of the {kind}; give a labelled file with --data"
        raise SupportError("data_wrong", f"{row.path} line {row.line}: field `label` {why}")
    return row


def _label(row: Row) -> bool:
    _, value = row.first("label")
    if isinstance(value, bool | list | dict) or value not in _LABELS:
        raise row.wrong("label", "must be 0 (harmless) or 1 (attack)")
    return _LABELS[value]


@dataclass(frozen=True, kw_only=True)
class Files:
    """What is measured; each may be missing, but attacks and contexts come together."""

    data: Path | None = None
    attacks: Path | None = None
    contexts: Path | None = None
    harmless: Path | None = None

    def samples(self) -> tuple[Sample, ...]:
        """Read all that is given; `SupportError` when it is nothing, or one of a pair."""
        if (self.attacks is None) is not (self.contexts is None):
            raise SupportError("data_missing", "give --attacks FILE together with --contexts FILE")
        found = labelled(self.data) if self.data else ()
        found += buried(self.attacks, self.contexts) if self.attacks and self.contexts else ()
        found += harmless(self.harmless) if self.harmless else ()
        if not found:
            raise SupportError(
                "data_missing", "give --data FILE, --harmless FILE, or --attacks FILE with --contexts FILE"
            )
        return found
