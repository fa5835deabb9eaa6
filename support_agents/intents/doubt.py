"""Signs of whether a message belongs to any intent at all: the top score alone does not tell; it decides nothing."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Classes = NDArray[np.intp]

NEAREST = 5
SIGNS = ("top", "margin", "five nearest", "five nearest of its own", "prototype", "its own prototype")
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


def signs(scores: Floats, likeness: Floats, truth: Classes, near: Floats) -> NDArray[np.float64]:
    """Return one row a message, one column a sign: the higher, the more it looks like a message of some intent.

    `likeness` holds cosines with the examples of classes `truth`, `near` those with the classes' prototypes.
    """
    order = np.sort(scores, axis=1)
    top = scores.argmax(axis=1)
    some = min(NEAREST, likeness.shape[1])
    own = truth[None, :] == top[:, None]
    columns = (
        order[:, -1],
        order[:, -1] - order[:, -2],
        _most(likeness, some),
        _most(np.where(own, likeness, np.float32(_LEAST)), some),
        near.max(axis=1),
        near[np.arange(len(near)), top],
    )
    return np.stack(columns, axis=1).astype(np.float64)


def _most(values: Floats, some: int) -> Floats:
    """Return the mean of the highest `some` of each row; an intent may have fewer examples."""
    highest = -np.partition(-values, some - 1, axis=1)[:, :some]
    real = highest > _LEAST
    return np.asarray((highest * real).sum(axis=1) / np.maximum(1, real.sum(axis=1)), dtype=np.float32)
