"""Figures of how well something was understood: plain arithmetic over what was given and what was true."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def macro_f1(given: Sequence[str], truth: Sequence[str]) -> float:
    """Return the mean F1 over the classes that occur in `truth`."""
    said, real = np.array(given), np.array(truth)
    return float(np.mean([_f1(said == name, real == name) for name in np.unique(real)]))


def auroc(inside: Floats, outside: Floats) -> float | None:
    """Return how often a message that belongs scores above one that does not, ties counting half; None without both."""
    if not len(inside) or not len(outside):
        return None
    both = np.concatenate([inside, outside])
    _, places, counts = np.unique(both, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    above = ranks[: len(inside)].sum() - len(inside) * (len(inside) + 1) / 2
    return float(above / (len(inside) * len(outside)))


def share(held: Sequence[bool] | Bools) -> float | None:
    """Return how much of it is true, to four places; None of nothing."""
    return round(float(np.mean(held)), 4) if len(held) else None


def percentile_ms(seconds: Sequence[float], percent: float) -> float:
    """Return a percentile of durations in milliseconds."""
    return float(np.percentile(np.array(seconds) * 1000, percent))


def _f1(given: Bools, truth: Bools) -> float:
    return float(2 * (given & truth).sum() / max(1, given.sum() + truth.sum()))
