"""Outliers by PyOD's nearest neighbours; it is loaded when it first learns, off the event loop, and never in a run."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float64]
# One run in a hundred is marked, however alike they all are.
SHARE = 0.01
NEIGHBOURS = 5


@dataclass(frozen=True)
class NearestNeighbours:
    """What was learnt: a run's score is its distance to the fifth neighbour among earlier ones.

    One in a hundred of those is further away than `limit`.
    """

    limit: float
    distances: Callable[[Rows], Rows]

    def score(self, row: Rows) -> float:
        """Half a millisecond for a thousand runs (one core)."""
        return float(self.distances(row.reshape(1, -1))[0])


class PyodOutlierDetector:
    """Needs a fifth of a second and 60 MB beside scikit-learn at first use."""

    async def learn(self, rows: Rows) -> NearestNeighbours:
        """Learn from rows of numbers that are of one scale."""
        return await asyncio.to_thread(_learnt, rows)


def _learnt(rows: Rows) -> NearestNeighbours:
    from pyod.models.knn import KNN  # noqa: PLC0415 - 60 MB for those who have something to learn

    model = KNN(contamination=SHARE, n_neighbors=NEIGHBOURS)
    model.fit(rows)
    judge = NearestNeighbours(float(model.threshold_), model.decision_function)
    judge.score(rows[0])  # whatever is made at first use is made here
    return judge
