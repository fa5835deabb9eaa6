"""Learns how to move vectors so that examples of one intent come together; never imported at run time."""

import numpy as np
from numpy.typing import NDArray

from support_agents.intents.doubt import lengths, sums

STEPS = 60
AT_ONCE = 12  # examples of each class in one step
_RATE = 3e-3  # of the first step; it falls to 0
_WARMTH = 0.2  # cosines are divided by it; at 0.06 the examples are learnt by heart
_DROPPED = 0.3  # of the numbers of a vector, in each step others
_SEED = 1
_MEAN, _SQUARE, _LEAST = 0.9, 0.999, 1e-8  # as Adam is usually set

Matrix = NDArray[np.float32]
Classes = NDArray[np.intp]


def learnt_shift(vectors: Matrix, truth: Classes, classes: int) -> Matrix:
    """Return the square matrix `shift` for `kernel.moved`, learnt from unit vectors by Adam from 0, repeatably.

    Each step holds some examples of every class against the means of the classes, of its own without itself.
    """
    draw = np.random.default_rng(_SEED)
    members = [np.flatnonzero(truth == number) for number in range(classes)]
    shift = np.zeros((vectors.shape[1], vectors.shape[1]), dtype=np.float32)
    mean, square = np.zeros_like(shift), np.zeros_like(shift)
    for step in range(STEPS):
        rows = np.concatenate([draw.permutation(some)[:AT_ONCE] for some in members])
        kept = (draw.random((len(rows), vectors.shape[1]), dtype=np.float32) >= _DROPPED) / np.float32(1 - _DROPPED)
        _, slope = loss(vectors[rows], vectors[rows] * kept, truth[rows], shift, classes)
        mean = _MEAN * mean + (1 - _MEAN) * slope
        square = _SQUARE * square + (1 - _SQUARE) * slope * slope
        size = np.sqrt(square / (1 - _SQUARE ** (step + 1))) + _LEAST
        shift -= np.float32(_RATE * (1 - step / STEPS) / (1 - _MEAN ** (step + 1))) * mean / size
    return shift


def loss(vectors: Matrix, seen: Matrix, truth: Classes, shift: Matrix, classes: int) -> tuple[float, Matrix]:
    """Return the mean log loss and its slope by `shift`, which is applied to `seen`: `vectors` with numbers left out.

    An example that is alone in its class counts for the others only, for there is no mean to hold it against.
    """
    points, size = _unit(vectors + seen @ shift)
    totals = sums(points, truth, classes)
    means, total_size = _unit(totals)
    own, other_size = _unit(totals[truth] - points)

    rows = np.arange(len(truth))
    cosines = points @ means.T
    cosines[rows, truth] = (points * own).sum(axis=1)
    counted = np.bincount(truth, minlength=classes)[truth] > 1
    shares = _softmax(cosines / np.float32(_WARMTH))
    surprise = float(-np.log(shares[rows, truth] + np.float32(1e-12)) @ counted / max(1, counted.sum()))

    pull = shares
    pull[rows, truth] -= 1
    pull *= np.float32(1 / (_WARMTH * max(1, counted.sum()))) * counted[:, None]
    by_own = pull[rows, truth][:, None]
    pull[rows, truth] = 0
    by_others = _through_length(by_own * points, own, other_size)
    by_totals = _through_length(pull.T @ points, means, total_size) + sums(by_others, truth, classes)
    by_points = pull @ means + by_own * own + by_totals[truth] - by_others
    return surprise, np.asarray(seen.T @ _through_length(by_points, points, size), dtype=np.float32)


def _unit(rows: Matrix) -> tuple[Matrix, Matrix]:
    """Return rows of length 1, and the lengths that they had."""
    size = lengths(rows)
    return np.asarray(rows / size, dtype=np.float32), size


def _through_length(slope: Matrix, unit: Matrix, size: Matrix) -> Matrix:
    """Return the slope by what `unit` was before it was divided by its length `size`."""
    return np.asarray((slope - (slope * unit).sum(axis=1, keepdims=True) * unit) / size, dtype=np.float32)


def _softmax(rows: Matrix) -> Matrix:
    raised = np.exp(rows - rows.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), dtype=np.float32)
