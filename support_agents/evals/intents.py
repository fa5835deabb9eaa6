"""Measures intent understanding on files that others made; it tunes nothing on what it measures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from support_agents.domain.intent import UNKNOWN, IntentScore
from support_agents.evals.figures import auroc, macro_f1, percentile_ms
from support_agents.intents.asks import answered
from support_agents.intents.calibration import reliability
from support_agents.intents.kernel import KernelHead
from support_agents.intents.kernel_manifest import Reliability
from support_agents.intents.kernel_training import train
from support_agents.intents.labelled import Labelled
from support_agents.ports import Embedder

Progress = Callable[[str, int, int], None]
_TIMED = 200  # messages that are embedded and ranked one by one, for the milliseconds
_BATCH = 64


class IntentFigures(BaseModel):
    """What `eval intents --json` prints; `None` where no message out of scope was given."""

    model_config = ConfigDict(frozen=True)

    accuracy: float = Field(description="share of in-scope messages given their intent, before anything is refused")
    accuracy_at_threshold: float = Field(description="share given their intent and not refused")
    refused: float = Field(description="share of in-scope messages called `unknown`")
    macro_f1: float
    ece: float
    oos_recall: float | None
    oos_auroc: float | None
    p50_ms: float = Field(description="one message, embedding included")
    p99_ms: float
    rank_p50_ms: float = Field(description="one message whose embedding is there already")
    train_seconds: float
    train_examples: int
    test_examples: int
    oos_examples: int
    classes: int
    model: str
    reliability: tuple[Reliability, ...]


@dataclass(frozen=True)
class Files:
    """What is trained on, what is measured, and what belongs to no intent; `valid` may set the threshold."""

    train: Labelled
    test: Labelled
    out_of_scope: Labelled | None = None
    valid: Labelled | None = None


@dataclass(frozen=True)
class _Answer:
    """What the head says of one message: its best intent, how sure of that if it is any, and how sure that it is."""

    best: str
    confidence: float
    inside: float
    refused: bool


async def measure(files: Files, embedder: Embedder, progress: Progress) -> IntentFigures:
    """Train on `files.train`, then answer the rest by the rule that the product follows."""
    began = perf_counter()
    head, _ = await train("measured", files.train, embedder, progress, valid=files.valid)
    seconds = perf_counter() - began
    test, outside = files.test.in_scope, [*files.test.out_of_scope.texts]
    whole, ranking = await _timed(head, test.texts[:_TIMED], embedder)  # first: an embedder may remember texts
    outside += files.out_of_scope.texts if files.out_of_scope else ()
    given = await _answers(head, test.texts, embedder, progress)
    strange = await _answers(head, outside, embedder, progress)
    right = np.array([one.best == name for one, name in zip(given, test.intents, strict=True)])
    kept = np.array([not one.refused for one in given])
    ece, bins = reliability(np.array([one.confidence for one in given]), right)
    area = auroc(np.array([one.inside for one in given]), np.array([one.inside for one in strange]))
    return IntentFigures(
        accuracy=_rounded(right.mean()),
        accuracy_at_threshold=_rounded((right & kept).mean()),
        refused=_rounded((~kept).mean()),
        macro_f1=_rounded(macro_f1([one.best for one in given], test.intents)),
        ece=ece,
        oos_recall=_rounded(np.mean([one.refused for one in strange])) if strange else None,
        oos_auroc=None if area is None else _rounded(area),
        p50_ms=round(percentile_ms(whole, 50), 2),
        p99_ms=round(percentile_ms(whole, 99), 2),
        rank_p50_ms=round(percentile_ms(ranking, 50), 2),
        train_seconds=round(seconds, 2),
        train_examples=len(files.train.in_scope.texts),
        test_examples=len(test.texts),
        oos_examples=len(outside),
        classes=len(head.manifest.classes),
        model=head.version,
        reliability=bins,
    )


async def _answers(head: KernelHead, texts: Sequence[str], embedder: Embedder, progress: Progress) -> list[_Answer]:
    found: list[_Answer] = []
    for start in range(0, len(texts), _BATCH):
        progress("answer", start, len(texts))
        batch = texts[start : start + _BATCH]
        vectors = await embedder.embed(batch)
        found += [_answer(head, head.rank(text, vector)) for text, vector in zip(batch, vectors, strict=True)]
    progress("answer", len(texts), len(texts))
    return found


def _answer(head: KernelHead, scores: Sequence[IntentScore]) -> _Answer:
    known = next(score for score in scores if score.name != UNKNOWN)
    outside = next(score.probability for score in scores if score.name == UNKNOWN)
    refused = answered(scores, head.threshold).name == UNKNOWN
    share = known.probability / max(1 - outside, 1e-9)
    return _Answer(known.name, min(1.0, share), 1 - outside, refused)


async def _timed(head: KernelHead, texts: Sequence[str], embedder: Embedder) -> tuple[list[float], list[float]]:
    """Return the seconds of messages one at a time: all of it, and the ranking alone."""
    whole, ranking = [], []
    for text in texts:
        began = perf_counter()
        vector = (await embedder.embed([text]))[0]
        embedded = perf_counter()
        head.rank(text, vector)
        ended = perf_counter()
        whole.append(ended - began)
        ranking.append(ended - embedded)
    return whole, ranking


def _rounded(value: float | np.floating) -> float:
    return round(float(value), 4)
