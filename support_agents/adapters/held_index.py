"""Vectors and words of a small index in memory, so that it is searched without the engine; a large one is not held."""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import log

import numpy as np
import numpy.typing as npt

from support_agents.domain.ids import PassageId, WorkspaceId
from support_agents.ports import Vector

HELD_MOST = 4_096  # passages over all workspaces: 6 MB of vectors, some 5 MB of words
_ROWS_FIRST = 64


class HeldIndex:
    """The passages of a whole index by the numbers of their ids, or none from the first on that there is no room for.

    An engine takes some microseconds for every id that it is asked about and every score that it gives back, and lives
    in a thread that must be woken: for some hundred passages ten times as long as the arithmetic. Not for two threads.
    """

    def __init__(self, passages: int = 0, *, room: int = HELD_MOST) -> None:
        """Hold what is put, unless the index has more than `room` `passages` already."""
        self._room = room
        self._shelves: defaultdict[WorkspaceId, _Shelf] = defaultdict(_Shelf)
        self.holds = passages <= room

    def put(self, workspace: WorkspaceId, passage_id: PassageId, vector: Vector, words: Mapping[int, float]) -> None:
        """Insert or replace a vector and the weights of words, by their numbers."""
        if self.holds:
            self._shelves[workspace].put(passage_id.int, _unit(vector), words)
            if sum(len(shelf.row_of) for shelf in self._shelves.values()) > self._room:
                self._shelves.clear()
                self.holds = False

    def drop(self, workspace: WorkspaceId, ids: Iterable[PassageId]) -> None:
        """Forget some of a workspace."""
        if workspace in self._shelves:
            for passage_id in ids:
                self._shelves[workspace].drop(passage_id.int)

    def cosines(self, workspace: WorkspaceId, vector: Vector, numbers: Iterable[int]) -> Mapping[int, float] | None:
        """Return the cosines of the workspace's passages of these numbers, None where nothing is held."""
        if not self.holds:
            return None
        shelf = self._shelves.get(workspace)
        known = {} if shelf is None else {n: row for n in numbers if (row := shelf.row_of.get(n)) is not None}
        if shelf is None or not known:
            return {}
        return dict(zip(known, (shelf.vectors[[*known.values()]] @ _unit(vector)).tolist(), strict=True))

    def search(
        self, workspace: WorkspaceId, vector: Vector, words: Iterable[int], most: int
    ) -> tuple[Mapping[int, float], Mapping[int, float]]:
        """Return the cosines of the nearest and of the best worded, at most so many of each, and the latter's BM25."""
        shelf = self._shelves.get(workspace)
        if shelf is None or not shelf.row_of:
            return {}, {}
        cosines = shelf.cosines(_unit(vector))
        worded = shelf.worded(words, most)
        rows = dict.fromkeys([*_highest(cosines, min(most, len(shelf.row_of))).tolist(), *worded])
        numbers = shelf.numbers
        near = zip(rows, cosines[[*rows]].tolist(), strict=True)
        return {numbers[row]: cosine for row, cosine in near}, {numbers[row]: bm25 for row, bm25 in worded.items()}


@dataclass
class _Shelf:
    """The passages of one workspace: each has a row of `vectors`, which is another's once it is gone.

    A posting has the rows of the passages that have a word, and its weight in each.
    """

    row_of: dict[int, int] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=list)
    vectors: Vector = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32))
    _words: "list[array[int]]" = field(default_factory=list)
    _postings: "dict[int, tuple[array[int], array[float]]]" = field(default_factory=dict)
    _free: list[int] = field(default_factory=list)

    def put(self, number: int, vector: Vector, words: Mapping[int, float]) -> None:
        self.drop(number)
        row = self._free.pop() if self._free else self._new_row(len(vector))
        self.row_of[number], self.numbers[row], self.vectors[row] = row, number, vector
        self._words[row] = array("I", words)
        for word, weight in words.items():
            rows, weights = self._postings.setdefault(word, (array("I"), array("f")))
            rows.append(row)
            weights.append(weight)

    def drop(self, number: int) -> None:
        row = self.row_of.pop(number, None)
        if row is None:
            return
        for word in self._words[row]:
            rows, weights = self._postings[word]
            at = rows.index(row)
            del rows[at], weights[at]
            if not rows:
                del self._postings[word]
        self._words[row] = array("I")
        self._free.append(row)

    def cosines(self, unit: Vector) -> Vector:
        """Of each row; of one that is nobody's less than any."""
        found: Vector = self.vectors[: len(self.numbers)] @ unit
        if self._free:
            found[self._free] = -np.inf
        return found

    def worded(self, words: Iterable[int], most: int) -> dict[int, float]:
        """BM25 of the best rows, best first, with the engine's own inverse document frequency."""
        found = [posting for word in words if (posting := self._postings.get(word)) is not None]
        if not found:
            return {}
        held, lengths = len(self.row_of), [len(rows) for rows, _ in found]
        rarity = np.repeat([log((held - length + 0.5) / (length + 0.5) + 1) for length in lengths], lengths)
        rows = np.frombuffer(b"".join([rows for rows, _ in found]), dtype=np.uint32)
        weights = np.frombuffer(b"".join([weights for _, weights in found]), dtype=np.float32)
        scores = np.bincount(rows, weights=weights * rarity)
        best = np.argsort(-scores, kind="stable")[:most]
        scored = zip(best.tolist(), scores[best].tolist(), strict=True)
        return {row: score for row, score in scored if score > 0}

    def _new_row(self, dimensions: int) -> int:
        row = len(self.numbers)
        if row == len(self.vectors):
            grown = np.zeros((max(_ROWS_FIRST, 2 * row), dimensions), dtype=np.float32)
            if row:
                grown[:row] = self.vectors
            self.vectors = grown
        self.numbers.append(0)
        self._words.append(array("I"))
        return row


def _highest(scores: Vector, count: int) -> npt.NDArray[np.intp]:
    """Where the highest so many are, in no order."""
    return np.argpartition(scores, len(scores) - count)[len(scores) - count :]


def _unit(vector: Vector) -> Vector:
    return np.asarray(vector / (float(np.linalg.norm(vector)) or 1.0), dtype=np.float32)
