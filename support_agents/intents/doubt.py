"""Signs of whether a message belongs to any intent at all: the top score alone does not tell; it decides nothing."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Classes = NDArray[np.intp]

NEAREST = 5
SURROUNDING = 10  # examples that a message's place is judged by
SIGNS = (
    "top",
    "margin",
    "five nearest",
    "five nearest of its own",
    "prototype",
    "its own prototype",
    "ten nearest beside how near those lie to others",
)
_AT_ONCE = 1_024  # rows of cosines that are sorted in one go
_LEAST = -1.0  # cosine of what cannot be less alike


def prototypes(examples: Floats, truth: Classes, classes: int) -> Floats:
    """Return the mean direction of each class's examples, one row a class."""
    totals = sums(examples, truth, classes)
    return np.asarray(totals / lengths(totals), dtype=np.float32)


def sums(examples: Floats, truth: Classes, classes: int) -> Floats:
    """Return the sum of each class's examples, one row a class; of a class without any, zeros."""
    totals = np.zeros((classes, examples.shape[1]), dtype=np.float32)
    np.add.at(totals, truth, examples)
    return totals


def lengths(rows: Floats) -> Floats:
    """Return the length of each row as a column that can be divided by."""
    return np.asarray(np.maximum(1e-9, np.linalg.norm(rows, axis=1, keepdims=True)), dtype=np.float32)


def crowding(likeness: Floats) -> Floats:
    """Return how near each example's nearest others lie: the mean cosine, from the cosines of all with all."""
    some = min(SURROUNDING, len(likeness) - 1)
    if some < 1:  # alone
        return np.zeros(len(likeness), dtype=np.float32)
    blocks = (likeness[start : start + _AT_ONCE] for start in range(0, len(likeness), _AT_ONCE))
    highest = np.concatenate([-np.partition(-block, some, axis=1)[:, : some + 1] for block in blocks])
    # Nothing is nearer to an example than itself, so that the highest is left out.
    return np.asarray((highest.sum(axis=1) - highest.max(axis=1)) / some, dtype=np.float32)


def signs(
    scores: Floats, likeness: Floats, truth: Classes, near: Floats, crowded: Floats | None
) -> NDArray[np.float64]:
    """Return one row a message, one column a sign: the higher, the more it looks like a message of some intent.

    `likeness` holds cosines with the examples of classes `truth`, `near` those with the classes' prototypes, `crowded`
    the examples' `crowding`. Without it the last sign is missing, as in heads from before there was one.
    """
    order = np.sort(scores, axis=1)
    top = scores.argmax(axis=1)
    some = min(NEAREST, likeness.shape[1])
    own = truth[None, :] == top[:, None]
    columns = [
        order[:, -1],
        order[:, -1] - order[:, -2],
        _most(likeness, some),
        _most(np.where(own, likeness, np.float32(_LEAST)), some),
        near.max(axis=1),
        near[np.arange(len(near)), top],
    ]
    if crowded is not None:
        # What is far from all examples of a crowded place is stranger than what is as far from scattered ones.
        around = min(SURROUNDING, likeness.shape[1])
        nearest = np.argpartition(-likeness, around - 1, axis=1)[:, :around]
        columns.append(np.take_along_axis(likeness, nearest, axis=1).mean(axis=1) - crowded[nearest].mean(axis=1))
    return np.stack(columns, axis=1).astype(np.float64)


def _most(values: Floats, some: int) -> Floats:
    """Return the mean of the highest `some` of each row; an intent may have fewer examples."""
    highest = -np.partition(-values, some - 1, axis=1)[:, :some]
    real = highest > _LEAST
    return np.asarray((highest * real).sum(axis=1) / np.maximum(1, real.sum(axis=1)), dtype=np.float32)
