import numpy as np
import pytest
from numpy.typing import NDArray

from support_agents.intents.doubt import prototypes
from support_agents.intents.kernel import moved
from support_agents.intents.metric import learnt_shift, loss

CLASSES = 6


def drawn(count: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Unit vectors whose class is told by the first eight numbers only; the other 24 are loud and mean nothing."""
    middles = np.random.default_rng(0).normal(size=(CLASSES, 8))
    draw = np.random.default_rng(seed)
    truth = np.tile(np.arange(CLASSES), count)
    told = middles[truth] + 0.3 * draw.normal(size=(len(truth), 8))
    rows = np.concatenate([told, 1.5 * draw.normal(size=(len(truth), 24))], axis=1)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), truth


def right(examples: NDArray[np.float32], known: NDArray[np.intp], asked: NDArray[np.float32]) -> NDArray[np.intp]:
    return np.asarray((asked @ prototypes(examples, known, CLASSES).T).argmax(axis=1), dtype=np.intp)


def test_moved_vectors_tell_messages_apart_that_were_not_learnt() -> None:
    examples, known = drawn(10, 1)
    fresh, truth = drawn(100, 2)
    shift = learnt_shift(examples, known, CLASSES)
    before = (right(examples, known, fresh) == truth).mean()
    after = (right(moved(examples, shift), known, moved(fresh, shift)) == truth).mean()
    assert after > before + 0.03
    assert np.linalg.norm(moved(fresh, shift), axis=1) == pytest.approx(1, abs=1e-5)


def test_the_slope_is_that_of_the_loss() -> None:
    vectors, truth = drawn(3, 1)
    truth[0] = CLASSES  # alone in its class
    seen = vectors * (np.random.default_rng(4).random(vectors.shape) > 0.3)
    draw = np.random.default_rng(5)
    shift = draw.normal(scale=0.1, size=(32, 32)).astype(np.float32)
    _, slope = loss(vectors, seen, truth, shift, CLASSES + 1)
    for _ in range(5):
        way = draw.normal(size=shift.shape).astype(np.float32)
        way /= np.linalg.norm(way)
        ahead, behind = (
            loss(vectors, seen, truth, shift + np.float32(sign * 0.01) * way, CLASSES + 1)[0] for sign in (1, -1)
        )
        assert (ahead - behind) / 0.02 == pytest.approx(float((slope * way).sum()), rel=0.05, abs=2e-3)


def test_learning_is_repeatable_and_bears_classes_with_one_example_or_none() -> None:
    vectors, truth = drawn(2, 1)
    few = np.flatnonzero(truth != 1)[1:]  # one example of the first class, none of the second
    first, again = (learnt_shift(vectors[few], truth[few], CLASSES) for _ in range(2))
    assert np.array_equal(first, again)
    assert np.isfinite(first).all()
    assert first.any()


def test_where_every_class_has_one_example_nothing_is_moved() -> None:
    vectors, truth = drawn(1, 1)
    assert not learnt_shift(vectors, truth, CLASSES).any()
