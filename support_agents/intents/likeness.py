"""Tells which examples are one message in other words, so that none is measured by its paraphrase; it judges none."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from support_agents.ports import Vector

ALIKE = 0.85  # cosine of two embeddings beyond which they say the same
FEWEST_CONCEPTS = 3  # the same three or more concepts are the same message, in whatever language


def groups(
    intents: NDArray[np.intp], vectors: Vector, said: Sequence[frozenset[str]], *, folds: int
) -> NDArray[np.intp]:
    """Number the groups of paraphrases within each intent; none is larger than one of `folds` parts of its intent."""
    found = np.zeros(len(intents), dtype=np.intp)
    first = 0
    for intent in np.unique(intents):
        places = np.flatnonzero(intents == intent)
        numbers = _numbered(
            _linked(vectors[places], [said[place] for place in places.tolist()]), -(-len(places) // folds)
        )
        found[places] = numbers + first
        first += int(numbers.max()) + 1
    return found


def _linked(vectors: Vector, said: Sequence[frozenset[str]]) -> list[int]:
    """Return for each row the first row that it is linked to, directly or through others."""
    roots = list(range(len(vectors)))

    def root(row: int) -> int:
        while roots[row] != row:
            roots[row] = roots[roots[row]]
            row = roots[row]
        return row

    alike = vectors @ vectors.T >= ALIKE
    for row in range(len(vectors)):
        for other in range(row):
            same = said[row] == said[other] and len(said[row]) >= FEWEST_CONCEPTS
            if alike[row, other] or same:
                roots[root(row)] = root(other)
    return [root(row) for row in range(len(vectors))]


def _numbered(roots: Sequence[int], most: int) -> NDArray[np.intp]:
    """Number roots from 0; a group of more than `most` is cut, for a fold without an intent measures nothing."""
    numbers: dict[tuple[int, int], int] = {}
    sizes: defaultdict[int, int] = defaultdict(int)
    found = []
    for root in roots:
        found.append(numbers.setdefault((root, sizes[root] // most), len(numbers)))
        sizes[root] += 1
    return np.array(found, dtype=np.intp)
