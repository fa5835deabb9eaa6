"""Turns out-of-fold scores into a temperature, a threshold and honest figures; pure numpy."""

import numpy as np
from numpy.typing import NDArray

from support_agents.intents.kernel_manifest import Reliability
from support_agents.intents.manifest import Metrics
from support_agents.intents.model import softmax

Floats = NDArray[np.float64]
Classes = NDArray[np.intp]

COST_OF_WRONG = 2.5  # a reply to another question must be read, doubted and rewritten; without an intent, only written
_TEMPERATURES = np.geomspace(0.2, 5.0, 121)
_THRESHOLDS = np.round(np.linspace(0.0, 0.95, 191), 3)
_BINS = 10


def best_temperature(logits: Floats, truth: Classes) -> float:
    """Return the temperature under which the truth is least surprising (lowest log loss)."""
    rows = np.arange(len(truth))
    losses = [-np.log(softmax(logits / t)[rows, truth] + 1e-12).mean() for t in _TEMPERATURES]
    return float(_TEMPERATURES[int(np.argmin(losses))])


def best_threshold(probabilities: Floats, truth: Classes, unknown: int) -> float:
    """Return the threshold with the lowest cost, the highest of several: a wrong intent costs `COST_OF_WRONG` refusals.

    Naming an intent for an example of `unknown` is wrong; a known one called `unknown` is refused and costs 1.
    """
    costs = [_cost(answers(probabilities, float(threshold), unknown), truth, unknown) for threshold in _THRESHOLDS]
    return float(_THRESHOLDS[len(costs) - 1 - int(np.argmin(costs[::-1]))])


def _cost(given: Classes, truth: Classes, unknown: int) -> float:
    wrong, refused = (given != truth) & (given != unknown), (given != truth) & (given == unknown)
    return float(COST_OF_WRONG * wrong.sum() + refused.sum())


def answers(probabilities: Floats, threshold: float, unknown: int) -> Classes:
    """Return the class that is answered for each row: the top one, or `unknown` below the threshold."""
    top = probabilities.argmax(axis=1)
    return np.where(probabilities.max(axis=1) < threshold, unknown, top)


def measured(probabilities: Floats, truth: Classes, *, threshold: float, unknown: int) -> Metrics:
    """Return the figures that the manifest publishes."""
    given = answers(probabilities, threshold, unknown)
    right, known, answered = given == truth, truth != unknown, given != unknown
    return Metrics(
        accuracy=_rounded(right.mean()),
        macro_f1=_rounded(np.mean([_f1(given == c, truth == c) for c in range(probabilities.shape[1])])),
        known_accuracy=_rounded(right[known].mean()),
        known_refused=_rounded((~answered[known]).mean()),
        known_precision=_rounded(right[answered].mean()),
        unknown_recall=_rounded(right[~known].mean()),
        ece=_rounded(_ece(probabilities, truth)),
    )


def _f1(given: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    return float(2 * (given & truth).sum() / max(1, given.sum() + truth.sum()))


def _ece(probabilities: Floats, truth: Classes) -> float:
    """Mean distance between confidence and accuracy, by bins of confidence."""
    return reliability(probabilities.max(axis=1), probabilities.argmax(axis=1) == truth)[0]


def reliability(confidence: Floats, right: NDArray[np.bool_]) -> tuple[float, tuple[Reliability, ...]]:
    """Return the expected calibration error and, for each bin in use, how sure and how right the model was."""
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    used = [bins == number for number in sorted(set(bins.tolist()))]
    found = tuple(
        Reliability(
            messages=int(rows.sum()),
            confidence=_rounded(confidence[rows].mean()),
            accuracy=_rounded(right[rows].mean()),
        )
        for rows in used
    )
    gaps = sum(abs(one.accuracy - one.confidence) * one.messages for one in found)
    return _rounded(gaps / len(right)), found


def _rounded(value: float | np.floating) -> float:
    return round(float(value), 4)
