"""How like a message is to the example questions of each macro: by sense, by words, by intent; it chooses nothing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from support_agents import linear
from support_agents.domain.macro import Macro

Floats = NDArray[np.float32]

_PIECE = 4
_LONGEST_TEXT = 1_200
# Chosen by leave-one-out over the example questions, and on the development messages.
_SENSE, _WORDS = 0.6, 0.4
_RIDGE = 0.6
_BY_CLASS, _NEAREST = 0.55, 0.45
INTENT_COUNTS = 0.12


@dataclass(frozen=True)
class Piece:
    """A stretch of a message to compare, and how much its likeness counts."""

    text: str
    vector: Floats
    weight: float = 1.0


@dataclass(frozen=True)
class Row:
    """A text as a unit vector over features: those it has, and their weights; all others are 0."""

    places: NDArray[np.int64]
    weights: Floats


@dataclass(frozen=True)
class Postings:
    """The rows of all questions by feature: a few of ten thousand features stand in each, so zeros are not kept.

    Of feature `at`, `owners[starts[at]:starts[at + 1]]` are the questions that have it and `weights` there by how much.
    """

    starts: NDArray[np.int64]
    owners: NDArray[np.int64]
    weights: Floats
    questions: int

    @classmethod
    def of(cls, rows: Sequence[Row], features: int) -> "Postings":
        """Turn rows, in the order of the questions, round."""
        places = np.concatenate([row.places for row in rows])
        owners = np.repeat(np.arange(len(rows)), [len(row.places) for row in rows])
        order = np.argsort(places, kind="stable")
        return cls(
            starts=np.searchsorted(places[order], np.arange(features + 1)),
            owners=owners[order],
            weights=np.concatenate([row.weights for row in rows])[order],
            questions=len(rows),
        )

    def likeness(self, row: Row) -> Floats:
        """The product of `row` with every question's, shape (questions,)."""
        if not len(row.places):
            return np.zeros(self.questions, dtype=np.float32)
        begins = self.starts[row.places]
        counts = self.starts[row.places + 1] - begins
        ends = np.cumsum(counts)
        found = np.repeat(begins + counts - ends, counts) + np.arange(ends[-1])
        weights = self.weights[found] * np.repeat(row.weights, counts)
        return np.bincount(self.owners[found], weights, minlength=self.questions).astype(np.float32)


@dataclass(frozen=True)
class Matcher:
    """The example questions of one language's macros, ready to be compared with.

    `sense` has shape (questions, dimensions), `duals` (questions, macros); the questions of one macro stand together:
    `starts` says where each one's begin.
    """

    macros: tuple[Macro, ...]
    starts: NDArray[np.int64]
    sense: Floats
    words: Postings
    duals: Floats
    vocabulary: Mapping[str, int]
    rarity: Floats
    left_out: Floats = field(repr=False)

    @classmethod
    def of(cls, macros: Sequence[Macro], vectors: Floats) -> "Matcher":
        """Fit on the questions of `macros`; `vectors[i]` is that of the i-th question of all, in order."""
        questions = [question for macro in macros for question in macro.questions]
        owners = np.array([at for at, macro in enumerate(macros) for _ in macro.questions], dtype=np.int64)
        counted = [Counter(_features(question)) for question in questions]
        known = Counter(name for one in counted for name in one)
        vocabulary = {name: at for at, name in enumerate(sorted(known))}
        rarity = np.array([np.log(1 + len(questions) / known[name]) for name in vocabulary], dtype=np.float32)
        rows = [_weighted(one, vocabulary, rarity) for one in counted]
        words = Postings.of(rows, len(vocabulary))
        alike = np.stack([words.likeness(row) for row in rows])
        kernel = (_SENSE * vectors @ vectors.T + _WORDS * alike).astype(np.float64)
        inverse = np.linalg.inv(kernel + _RIDGE * np.eye(len(questions)))
        targets = np.eye(len(macros))[owners]
        duals = inverse @ targets
        # What each question would score if it had not been among the examples (the closed form of leave-one-out).
        left_out = targets - duals / np.diag(inverse)[:, None]
        starts = np.searchsorted(owners, np.arange(len(macros)))
        nearest = np.maximum.reduceat(kernel - 2 * np.eye(len(questions)), starts, axis=1)
        return cls(
            macros=tuple(macros),
            starts=starts,
            sense=vectors,
            words=words,
            duals=duals.astype(np.float32),
            vocabulary=vocabulary,
            rarity=rarity,
            left_out=(_BY_CLASS * left_out + _NEAREST * nearest).astype(np.float32),
        )

    def scores(self, piece: Piece) -> Floats:
        """Likeness to each macro, shape (macros,): about 1 for one of its own questions, about 0 for another matter."""
        row = _weighted(Counter(_features(piece.text[:_LONGEST_TEXT])), self.vocabulary, self.rarity)
        kernel = _SENSE * (self.sense @ piece.vector) + _WORDS * self.words.likeness(row)
        by_class = kernel @ self.duals
        nearest = np.maximum.reduceat(kernel, self.starts)
        return np.asarray(piece.weight * (_BY_CLASS * by_class + _NEAREST * nearest), dtype=np.float32)


def _features(text: str) -> list[str]:
    """Words and the pieces of longer ones, so that forms and compounds of a word count."""
    words = linear.words(text.casefold())
    pieces = [f"~{word[at : at + _PIECE]}" for word in words for at in range(len(word) - _PIECE + 1)]
    pairs = [f"{left} {right}" for left, right in pairwise(words)]
    return [*words, *pieces, *pairs]


def _weighted(counted: Mapping[str, int], vocabulary: Mapping[str, int], rarity: Floats) -> Row:
    """A unit vector; what no example has still makes the rest count less."""
    known = [(at, times) for name, times in counted.items() if (at := vocabulary.get(name)) is not None]
    unknown = sum(times for name, times in counted.items() if name not in vocabulary)
    places = np.array([at for at, _ in known], dtype=np.int64)
    weights = (1 + np.log(np.array([times for _, times in known], dtype=np.float32))) * rarity[places]
    norm = float(np.sqrt((weights**2).sum() + 0.25 * unknown))
    return Row(places, np.asarray(weights / (norm or 1.0), dtype=np.float32))
