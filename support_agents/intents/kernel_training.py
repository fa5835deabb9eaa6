"""Trains a kernel head on labelled messages, rehearsing on held-out ones; never imported at run time."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve  # type: ignore[import-untyped] # scipy ships no types
from scipy.optimize import minimize  # type: ignore[import-untyped]
from scipy.sparse import csr_matrix  # type: ignore[import-untyped]

from support_agents.domain.errors import SupportError
from support_agents.intents.calibration import best_temperature, reliability
from support_agents.intents.doubt import crowding
from support_agents.intents.features import Counts, ngrams
from support_agents.intents.kernel import (
    SCALE,
    KernelHead,
    Numbers,
    distribution,
    mixed,
    moved,
    nearness,
    stored,
    within,
)
from support_agents.intents.kernel_manifest import KernelManifest, KernelMetrics, Recipe, Scope
from support_agents.intents.labelled import Labelled
from support_agents.intents.metric import learnt_shift
from support_agents.intents.model import weighted
from support_agents.ports import Embedder, Vector

NGRAM_COLUMNS = 32_768
FEW = 25  # examples a class; up to here the intents' names count as examples of their own
RECIPE = Recipe(sharpness=2.0, words=0.2, penalty=0.1, ngram_columns=NGRAM_COLUMNS)
# Words say less where few were seen, and one odd example of few leads less far astray beside the mean of all.
FEW_RECIPE = Recipe(sharpness=3.0, words=0.1, penalty=0.1, ngram_columns=NGRAM_COLUMNS, prototypes=0.3, moved=0.5)
MOST_REFUSED = 0.02  # of the messages that do belong to an intent
FEWEST_CLASSES = 2
MOST_EXAMPLES = 20_000  # the fit needs 4 bytes for each pair
_REHEARSALS = {True: 5, False: 3}  # for few examples, for many
_HELD = 0.15  # of the examples of an intent, in each rehearsal
_PARTS = 4  # of the intents, of which each rehearsal leaves out another: messages that the head cannot know
_DOUBT_PENALTY = 1e-3
_MOST_STRANGERS = 3.0  # times as many as there are held messages
_BATCH = 64

Matrix = NDArray[np.float32]
Classes = NDArray[np.intp]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Material:
    """Rows that a fit may look at: vectors, n-gram counts and classes."""

    vectors: Vector
    counts: tuple[Counts, ...]
    truth: Classes

    def only(self, rows: NDArray[np.intp]) -> "Material":
        """Return a subset, in the order of `rows`."""
        return Material(self.vectors[rows], tuple(self.counts[row] for row in rows), self.truth[rows])

    def with_more(self, other: "Material") -> "Material":
        """Return the rows of both."""
        vectors = np.concatenate([self.vectors, other.vectors])
        return Material(vectors, self.counts + other.counts, np.concatenate([self.truth, other.truth]))


@dataclass(frozen=True)
class Held:
    """What a head makes of rows that it was not fitted on; `truth` is -1 for those of no intent."""

    scores: Matrix
    found: NDArray[np.float64]
    truth: Classes


async def train(
    name: str, labelled: Labelled, embedder: Embedder, progress: Progress, *, valid: Labelled | None = None
) -> tuple[KernelHead, bytes]:
    """Return a head and its stored bytes; with `valid`, its in-scope rows set temperature and threshold."""
    began = perf_counter()
    seen = labelled.in_scope
    classes = tuple(sorted(set(seen.intents)))
    _enough(seen, classes)
    material = await _material(seen.texts, seen.intents, classes, embedder, progress)
    names = await _names(material, classes, embedder)
    recipe = FEW_RECIPE if names else RECIPE
    rehearsed = list(_rehearsals(material, names, recipe, progress))
    progress("fit", 0, 1)
    numbers = fitted(material.with_more(names) if names else material, len(classes), recipe)
    progress("fit", 1, 1)
    held = rehearsed
    if valid is not None and (kept := valid.in_scope.within(classes)).texts:
        checked = await _material(kept.texts, kept.intents, classes, embedder, progress)
        held = [_held(numbers, checked, recipe)]
    scope, temperature, metrics = _calibrated(rehearsed, held)
    head = stored(numbers)
    manifest = KernelManifest(
        name=name,
        created=datetime.now(UTC),
        examples=len(numbers.truth),
        data_sha256=labelled.sha256,
        valid_sha256=valid.sha256 if valid else None,
        head_sha256=hashlib.sha256(head).hexdigest(),
        embedder=embedder.version,
        dimensions=embedder.dimensions,
        classes=classes,
        recipe=recipe,
        temperature=temperature,
        scope=scope,
        threshold=0.0,
        metrics=metrics,
        train_seconds=round(perf_counter() - began, 3),
    )
    return KernelHead(manifest, numbers), head


def fitted(material: Material, classes: int, recipe: Recipe) -> Numbers:
    """Learn how to move vectors where the recipe does, then solve the kernel ridge regression in closed form."""
    idf = _idf(material.counts)
    lexical = _sparse(material.counts, idf)
    likeness = material.vectors @ material.vectors.T
    crowded, kernel = crowding(likeness), nearness(likeness, recipe)
    del likeness  # of 20,000 examples 1.6 GB
    shift = learnt_shift(material.vectors, material.truth, classes) if recipe.moved else None
    if shift is not None:
        there = moved(material.vectors, shift)
        kernel = mixed(kernel, nearness(there @ there.T, recipe), recipe)
    kernel += np.float32(recipe.words) * np.asarray((lexical @ lexical.T).todense(), dtype=np.float32)
    kernel[np.diag_indices(len(kernel))] += np.float32(recipe.penalty)
    wanted = np.eye(classes, dtype=np.float32)[material.truth] - np.float32(1 / classes)
    factor = cho_factor(kernel, overwrite_a=True, check_finite=False)
    duals = np.asarray(cho_solve(factor, wanted, check_finite=False), dtype=np.float32)
    primal = np.asarray(recipe.words * (lexical.T @ duals), dtype=np.float32)
    return Numbers(material.vectors, material.truth, duals, primal, idf, shift, crowded)


def _enough(seen: Labelled, classes: Sequence[str]) -> None:
    if len(classes) < FEWEST_CLASSES:
        raise SupportError("examples_incomplete", "the data has fewer than two intents; label some of another one")
    if len(seen.texts) > MOST_EXAMPLES:
        message = (
            f"the data has {len(seen.texts)} examples and {MOST_EXAMPLES} are the most; leave some of the largest out"
        )
        raise SupportError("examples_too_many", message)


async def _material(
    texts: Sequence[str], intents: Sequence[str], classes: Sequence[str], embedder: Embedder, progress: Progress
) -> Material:
    places = {name: place for place, name in enumerate(classes)}
    parts = []
    for start in range(0, len(texts), _BATCH):
        progress("embed", start, len(texts))
        parts.append(await embedder.embed(texts[start : start + _BATCH]))
    progress("embed", len(texts), len(texts))
    truth = np.array([places.get(name, -1) for name in intents], dtype=np.intp)
    return Material(np.concatenate(parts), tuple(ngrams(text, NGRAM_COLUMNS) for text in texts), truth)


async def _names(material: Material, classes: Sequence[str], embedder: Embedder) -> Material | None:
    """Return the intents' names as examples where there are few of others."""
    if len(material.truth) > FEW * len(classes):
        return None
    said = [name.replace("_", " ").replace("-", " ").lower() for name in classes]
    return await _material(said, classes, classes, embedder, lambda *_: None)


def _rehearsals(material: Material, names: Material | None, recipe: Recipe, progress: Progress) -> Iterator[Held]:
    """Fit without some intents and some examples, and look at what the fit makes of both."""
    classes = int(material.truth.max()) + 1
    count = _REHEARSALS[len(material.truth) <= FEW * classes]
    draw = np.random.default_rng(1)
    mixed = draw.permutation(classes)
    parts = np.array_split(mixed, _PARTS) if classes > FEWEST_CLASSES else [mixed[:0]]
    for number in range(count):
        progress("rehearse", number, count)
        away = parts[number % len(parts)]
        strange = np.isin(material.truth, away)
        held = _some(draw.random(len(strange)), ~strange)
        strangers = draw.permutation(np.flatnonzero(strange))[: int(_MOST_STRANGERS * held.sum())]
        places = np.full(classes, -1, dtype=np.intp)
        rest = np.setdiff1d(np.arange(classes), away)
        places[rest] = np.arange(len(rest))
        fit_on = material.only(np.flatnonzero(~strange & ~held))
        if names:
            fit_on = fit_on.with_more(names.only(rest))
        looked_at = material.only(np.concatenate([np.flatnonzero(held), strangers]))
        numbers = fitted(Material(fit_on.vectors, fit_on.counts, places[fit_on.truth]), len(rest), recipe)
        yield _held(numbers, Material(looked_at.vectors, looked_at.counts, places[looked_at.truth]), recipe)
    progress("rehearse", count, count)


def _some(drawn: NDArray[np.float64], of: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Choose `_HELD` of the rows `of`, by what was drawn for each; at least one."""
    return of & (drawn <= max(_HELD, float(drawn[of].min())))


def _held(numbers: Numbers, material: Material, recipe: Recipe) -> Held:
    lexical = _sparse(material.counts, numbers.idf) @ numbers.ngrams
    scores, found = numbers.scores(material.vectors, np.asarray(lexical, dtype=np.float32), recipe)
    return Held(scores, found, material.truth)


def _calibrated(rehearsed: Sequence[Held], held: Sequence[Held]) -> tuple[Scope, float, KernelMetrics]:
    """Learn doubt from the rehearsals; set temperature and what is refused on `held`."""
    scope = _scope(rehearsed)
    inside = np.concatenate([one.truth >= 0 for one in held])
    sure = within(np.concatenate([one.found for one in held])[inside], scope)
    cut = min(1 - 1e-6, max(1e-6, float(np.quantile(sure, MOST_REFUSED))))
    scope = Scope(weights=scope.weights, bias=scope.bias - float(np.log(cut / (1 - cut))))
    known = [_Known(one.scores[one.truth >= 0], one.truth[one.truth >= 0]) for one in held]
    temperature = _temperature(known)
    shares = [distribution(one.scores, np.ones(len(one.truth)), temperature) for one in known]
    confidence = np.concatenate([rows.max(axis=1) for rows in shares])
    right = np.concatenate([one.scores.argmax(axis=1) == one.truth for one in known])
    ece, bins = reliability(confidence, right)
    kept = within(np.concatenate([one.found for one in held])[inside], scope) >= 0.5  # noqa: PLR2004 - as in `within`
    metrics = KernelMetrics(
        held_out=len(right),
        accuracy=round(float(right.mean()), 4),
        accuracy_kept=round(float((right & kept).mean()), 4),
        refused=round(float((~kept).mean()), 4),
        ece=ece,
        reliability=bins,
    )
    return scope, temperature, metrics


@dataclass(frozen=True)
class _Known:
    scores: Matrix
    truth: Classes


def _temperature(known: Sequence[_Known]) -> float:
    """Return the temperature of the rehearsal or validation rows; rehearsals differ in their classes, so by median."""
    found = [best_temperature(SCALE * one.scores.astype(np.float64), one.truth) for one in known if len(one.truth)]
    return float(np.median(found))


def _scope(rehearsed: Sequence[Held]) -> Scope:
    """Fit the scale that tells messages of known intents from those of left-out ones."""
    found = np.concatenate([one.found for one in rehearsed])
    inside = np.concatenate([one.truth >= 0 for one in rehearsed])
    middle, spread = found.mean(axis=0), found.std(axis=0) + 1e-6
    if inside.all():  # two intents: none could be left out, and the top score has to tell
        weights, bias = np.array([1.0, *[0.0] * (found.shape[1] - 1)]), 0.0
    else:
        weights, bias = _agreeing((found - middle) / spread, inside)
    scaled = weights / spread
    return Scope(weights=tuple(scaled.tolist()), bias=float(bias - scaled @ middle))


def _agreeing(rows: NDArray[np.float64], inside: NDArray[np.bool_]) -> tuple[NDArray[np.float64], float]:
    """Fit a logistic scale none of whose weights is negative.

    Free weights play signs off against each other to tell left-out intents apart, which are near misses, and then
    take what is far from everything for known.
    """
    side = np.where(inside, 1.0, -1.0)

    def loss(given: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = side * (rows @ given[:-1] + given[-1])
        pull = -side / (1 + np.exp(margin)) / len(rows)
        slope = np.append(rows.T @ pull + _DOUBT_PENALTY * given[:-1], pull.sum())
        return float(np.logaddexp(0, -margin).mean() + _DOUBT_PENALTY / 2 * given[:-1] @ given[:-1]), slope

    bounds = [(0.0, None)] * rows.shape[1] + [(None, None)]
    found = minimize(loss, np.zeros(rows.shape[1] + 1), jac=True, bounds=bounds, method="L-BFGS-B")
    return found.x[:-1], float(found.x[-1])


def _idf(counts: Sequence[Counts]) -> Matrix:
    documents = np.zeros(NGRAM_COLUMNS)
    for one in counts:
        documents[one.columns] += 1
    return np.asarray(np.log((1 + len(counts)) / (1 + documents)) + 1, dtype=np.float32)


def _sparse(counts: Sequence[Counts], idf: Matrix) -> csr_matrix:
    ends = np.cumsum([0, *(len(one.columns) for one in counts)])
    columns = np.concatenate([one.columns for one in counts])
    values = np.concatenate([weighted(one, idf) for one in counts])
    return csr_matrix((values, columns, ends), shape=(len(counts), len(idf)))
