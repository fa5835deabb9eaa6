"""Turns the cosines of one embedder into those that limits were fitted to; it embeds nothing and searches nothing.

Every embedder has its own idea of what 0.8 means: unrelated texts have it of multilingual-e5-small, and of MiniLM those
that say the same. So an article's own title and the titles of others are held against its passages, by both models,
and what is as rare for one as for the other counts as the same likeness.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# Which part of the unrelated pairs, and which of the related ones, lies below a knot; and MiniLM's cosine there, for
# the demo shop's 35 English articles (812 unrelated pairs, 35 related).
UNRELATED, RELATED = (0.5, 0.9, 0.99), (0.25, 0.75)
REFERENCE = (0.16, 0.34, 0.53, 0.84, 0.89)
_LEAST_STEP = 1e-3  # knots of a model that cannot tell related from unrelated still have to rise


@dataclass(frozen=True)
class Scale:
    """A rising line through points: `knots` are cosines of the embedder, `values` those of the reference."""

    knots: tuple[float, ...]
    values: tuple[float, ...]

    def __call__(self, cosines: Floats) -> Floats:
        """Return the reference's cosines, -1..1; what is nearer stays nearer."""
        return np.asarray(np.interp(cosines, self.knots, self.values), dtype=np.float32)

    def one(self, cosine: float) -> float:
        """As of an array."""
        return float(np.interp(cosine, self.knots, self.values))


SAME = Scale((-1.0, 1.0), (-1.0, 1.0))


def fitted(unrelated: Sequence[float], related: Sequence[float]) -> Scale:
    """Return the scale of an embedder by its cosines for such pairs; without pairs it changes nothing."""
    if not len(unrelated) or not len(related):
        return SAME
    found = np.concatenate([np.quantile(unrelated, UNRELATED), np.quantile(related, RELATED)])
    points = [(-1.0, -1.0)]
    for knot, value in zip(found, REFERENCE, strict=True):
        points.append((max(float(knot), points[-1][0] + _LEAST_STEP), value))
    knots, values = zip(*[point for point in points if point[0] < 1.0], (1.0, 1.0), strict=True)
    return Scale(knots, values)
