"""Judges a text by rules and by the head, window by window; a verdict is about text, never about a person."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from support_agents.ports import Embedder, Vector
from support_agents.screening import injection
from support_agents.screening.grams import Grams, grams
from support_agents.screening.head import InjectionHead, probability, shipped
from support_agents.screening.injection import Finding
from support_agents.screening.windows import SHORT, Span, windows

LONGEST = 20_000
READS_LIKE_ORDERS = "reads like an instruction to software"
FOREIGN_TASK = "holds a task that has nothing to do with the rest"
MOST_WINDOWS = 12  # embedded beside the whole text; those whose words are most suspicious
MOST_EXPECTED = 6.0
_FEWEST_AROUND = 3  # windows that make a text of which one can be foreign
_BY_RULE = 30.0
_SURELY = 1.0  # below the bar: so far that the whole of a long text is not embedded for its own sake either


@dataclass(frozen=True)
class Verdict:
    """How sure (0..1) it is that the text tries to instruct software, and the sentences that say so.

    `head` is the version of the head that judged too, empty where the rules alone did.
    """

    score: float
    findings: tuple[Finding, ...]
    head: str = ""


@dataclass(frozen=True)
class _Window:
    """A part of a text, or all of it, with its words."""

    span: Span
    words: Grams


@dataclass(frozen=True)
class Detector:
    """Rules and head around an embedder of the version that the head was trained on; another version: rules alone."""

    embedder: Embedder
    head: InjectionHead = field(default_factory=shipped)

    @property
    def threshold(self) -> float:
        """Score from which a text is tainted."""
        return self.head.threshold

    async def judge(self, text: str, vector: Vector | None = None) -> Verdict:
        """Judge the first `LONGEST` characters; `vector` is the embedding of `text`, if it is there already.

        A text of about 40 tokens needs no embedding but its own, a long one without a suspicious word needs none.
        """
        text = text[:LONGEST]
        found = injection.find_all(text)
        if not text.strip() or self.embedder.version != self.head.manifest.embedder:
            return Verdict(float(bool(found)), found)
        scored = await self._scored(text, vector)
        top = max((score for score, _ in scored), default=-_BY_RULE)
        learned = [finding for score, finding in scored if probability(score) >= self.threshold]
        findings = tuple(sorted({*found, *_narrowest(learned)}, key=injection.by_place))
        return Verdict(1.0 if found else probability(top), findings, self.head.version)

    async def _scored(self, text: str, vector: Vector | None) -> list[tuple[float, Finding]]:
        parts = windows(text) if len(text) > SHORT else ()
        looked_at = self._suspicious(text, parts)
        texts = [text[slice(*window.span)].strip() for window in looked_at]
        whole = _Window((0, len(text)), grams(text))
        alone = self.head.direct.of_grams(whole.words)
        if vector is None and parts and not looked_at and alone < self.head.manifest.direct_bar - _SURELY:
            return [(alone, Finding(READS_LIKE_ORDERS, *whole.span))]  # no word of it is worth an embedding
        if vector is None:
            vectors = await self.embedder.embed([text, *texts])
            vector, others = vectors[0], vectors[1:]
        else:
            others = await self.embedder.embed(texts) if texts else np.empty((0, len(vector)), dtype=np.float32)
        scored = [self._direct(whole, vector, 0.0)]
        expected = self._expected(whole, vector)
        for window, own in zip(looked_at, others, strict=True):
            scored.append(self._direct(window, own, self.head.manifest.direct_shift))
            if len(parts) >= _FEWEST_AROUND:
                score, finding = self._task(window, own)
                scored.append((score - expected - self.head.manifest.task_likeness * float(own @ vector), finding))
        return scored

    def _suspicious(self, text: str, parts: Sequence[Span]) -> list[_Window]:
        """Return the windows worth an embedding: their words alone put them near enough to either threshold."""
        bars = self.head.manifest
        near: list[tuple[float, _Window]] = []
        for start, end in parts:
            words = grams(text[start:end].strip())
            above = max(
                self.head.direct.of_grams(words) - bars.direct_bar, self.head.task.of_grams(words) - bars.task_bar
            )
            if above >= 0:
                near.append((above, _Window((start, end), words)))
        near.sort(key=lambda one: -one[0])
        return [window for _, window in near[:MOST_WINDOWS]]

    def _direct(self, window: _Window, vector: Vector, shift: float) -> tuple[float, Finding]:
        score = self.head.direct.of_grams(window.words) + self.head.direct.of_vector(vector)
        return score + shift, Finding(READS_LIKE_ORDERS, *window.span)

    def _task(self, window: _Window, vector: Vector) -> tuple[float, Finding]:
        score = self.head.task.of_grams(window.words) + self.head.task.of_vector(vector)
        return score + self.head.manifest.task_shift, Finding(FOREIGN_TASK, *window.span)

    def _expected(self, whole: _Window, vector: Vector) -> float:
        """Return how much of a task a window may be where the whole text is one: then none of it is foreign."""
        score = self.head.task.of_grams(whole.words) + self.head.task.of_vector(vector)
        return self.head.manifest.task_whole * min(max(score, -MOST_EXPECTED), MOST_EXPECTED)


def _narrowest(findings: Sequence[Finding]) -> list[Finding]:
    """Leave out a finding of the whole text where a sentence of it was found."""
    widest = max((finding.end - finding.start for finding in findings), default=0)
    narrower = [finding for finding in findings if finding.end - finding.start < widest]
    return narrower or list(findings)
