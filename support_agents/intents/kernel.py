"""The head that is trained on an installation's own labelled messages, at run time: numpy alone, nothing unpickled."""

import hashlib
import io
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from support_agents.domain.errors import SupportError
from support_agents.domain.intent import UNKNOWN, IntentScore
from support_agents.intents.doubt import lengths, prototypes, signs
from support_agents.intents.features import ngrams
from support_agents.intents.kernel_manifest import FORMAT, SIGNS_WEIGHED, KernelManifest, Recipe, Scope
from support_agents.intents.manifest import HEAD_NAME, MANIFEST_NAME
from support_agents.intents.model import softmax, weighted
from support_agents.ports import Vector

SCALE = 10.0  # ridge scores lie between 0 and 1; a softmax needs them further apart
_RETRAIN = "train it again with `support-agents intents train --data`"

Matrix = NDArray[np.float32]
Classes = NDArray[np.intp]


@dataclass(frozen=True)
class Numbers:
    """What is stored: the examples' vectors and classes, their weights by class, and n-gram weights by class.

    `shift` moves vectors so that examples of one class come together; None where the recipe moves none. `crowding` says
    how near each example's nearest others lie; None in heads from before doubt looked at it.
    """

    examples: Matrix
    truth: Classes
    duals: Matrix
    ngrams: Matrix
    idf: Matrix
    shift: Matrix | None = None
    crowding: Matrix | None = None

    @cached_property
    def prototypes(self) -> Matrix:
        """The mean direction of each class's examples."""
        return prototypes(self.examples, self.truth, self.duals.shape[1])

    @cached_property
    def _moved_examples(self) -> Matrix:
        return self.examples if self.shift is None else moved(self.examples, self.shift)

    @cached_property
    def _moved_prototypes(self) -> Matrix:
        return prototypes(self._moved_examples, self.truth, self.duals.shape[1])

    def scores(self, vectors: Matrix, lexical: Matrix, recipe: Recipe) -> tuple[Matrix, NDArray[np.float64]]:
        """Return scores by class and signs of belonging, for rows of vectors and of their n-gram scores."""
        likeness = vectors @ self.examples.T
        near = vectors @ self.prototypes.T
        kernel, by_means = nearness(likeness, recipe), near
        if self.shift is not None:
            there = moved(vectors, self.shift)
            kernel = mixed(kernel, nearness(there @ self._moved_examples.T, recipe), recipe)
            by_means = mixed(near, there @ self._moved_prototypes.T, recipe)
        scores = kernel @ self.duals + lexical + np.float32(recipe.prototypes) * by_means
        # Moving draws strangers to the intents as well, so that the doubt looks at vectors where they are.
        return scores, signs(scores, likeness, self.truth, near, self.crowding)

    def lexical(self, text: str, recipe: Recipe) -> Matrix:
        """Return the n-gram scores by class of one text."""
        found = ngrams(text, recipe.ngram_columns)
        return np.asarray(weighted(found, self.idf) @ self.ngrams[found.columns], dtype=np.float32)


@dataclass(frozen=True)
class KernelHead:
    """`IntentModel`: kernel ridge regression over embeddings and n-grams, with a learnt doubt of whether it applies."""

    manifest: KernelManifest
    numbers: Numbers

    @classmethod
    def load(cls, folder: Path, *, embedder_version: str) -> "KernelHead":
        """Read a stored head; `SupportError` says what does not fit and which command mends it."""
        manifest = read_manifest(folder)
        _fits("embedder", manifest.embedder, embedder_version)
        return cls(manifest, _numbers(folder / HEAD_NAME, manifest))

    @property
    def version(self) -> str:
        """Name, data and bytes of the head."""
        manifest = self.manifest
        return f"{manifest.name}.{manifest.data_sha256[:8]}.{manifest.head_sha256[:8]}"

    @property
    def threshold(self) -> float:
        """Top probability below which the intent is `unknown`; the doubt has been weighed already."""
        return self.manifest.threshold

    @property
    def names(self) -> tuple[str, ...]:
        """Every intent that it can name, `unknown` among them."""
        return (*self.manifest.classes, UNKNOWN)

    def rank(self, text: str, vector: Vector) -> tuple[IntentScore, ...]:
        """Return all classes and `unknown` with calibrated probabilities, best first."""
        recipe = self.manifest.recipe
        scores, found = self.numbers.scores(vector[None, :], self.numbers.lexical(text, recipe)[None, :], recipe)
        inside = within(found, self.manifest.scope)
        shares = distribution(scores, inside, self.manifest.temperature)[0]
        names = self.names
        order = np.argsort(-shares, kind="stable")
        return tuple(IntentScore(name=names[i], probability=min(1.0, float(shares[i]))) for i in order)


def nearness(likeness: Matrix, recipe: Recipe) -> Matrix:
    """Turn cosines of embeddings into the kernel's values."""
    return np.asarray(np.exp(np.float32(recipe.sharpness) * (likeness - np.float32(1))), dtype=np.float32)


def moved(vectors: Matrix, shift: Matrix) -> Matrix:
    """Move vectors by what was learnt, and back to length 1."""
    further = vectors + vectors @ shift
    return np.asarray(further / lengths(further), dtype=np.float32)


def mixed(still: Matrix, there: Matrix, recipe: Recipe) -> Matrix:
    """Mix what vectors say where they are with what they say moved."""
    return np.asarray(still + np.float32(recipe.moved) * (there - still), dtype=np.float32)


def within(found: NDArray[np.float64], scope: Scope) -> NDArray[np.float64]:
    """Return how sure it is that each message belongs to any intent; one half is where it is refused."""
    return np.asarray(1 / (1 + np.exp(-(found @ np.array(scope.weights) + scope.bias))), dtype=np.float64)


def distribution(scores: Matrix, inside: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Return one row a message: the classes' probabilities and, last, that of `unknown`.

    `unknown` is first exactly where `inside` is below one half: above, it never outweighs the best class.
    """
    shares = softmax(SCALE * scores.astype(np.float64) / temperature)
    outside = np.where(inside < 0.5, 1 - inside, (1 - inside) * shares.max(axis=1))[:, None]  # noqa: PLR2004 - see above
    return np.concatenate([(1 - outside) * shares, outside], axis=1)


def read_manifest(folder: Path) -> KernelManifest:
    """Read what is known of the head in a folder."""
    try:
        manifest = KernelManifest.model_validate_json((folder / MANIFEST_NAME).read_bytes())
    except OSError as error:
        raise SupportError("intents_missing", f"there is no intent model in {folder.name}: {_RETRAIN}") from error
    except ValidationError as error:
        raise SupportError("intents_unreadable", f"{MANIFEST_NAME} is not a manifest: {_RETRAIN}") from error
    _fits("format", manifest.format in SIGNS_WEIGHED, True)  # noqa: FBT003 - what is wanted
    _fits("signs of doubt", len(manifest.scope.weights), SIGNS_WEIGHED[manifest.format])
    return manifest


def _numbers(path: Path, manifest: KernelManifest) -> Numbers:
    """Read the arrays after their hash, then check every shape."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SupportError("intents_missing", f"{HEAD_NAME} is not beside its manifest: {_RETRAIN}") from error
    _fits(HEAD_NAME, hashlib.sha256(content).hexdigest(), manifest.head_sha256)
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    classes, columns = len(manifest.classes), manifest.recipe.ngram_columns
    shapes = {
        "examples": (manifest.examples, manifest.dimensions),
        "truth": (manifest.examples,),
        "duals": (manifest.examples, classes),
        "ngrams": (columns, classes),
        "idf": (columns,),
    }
    if manifest.recipe.moved:
        shapes["shift"] = (manifest.dimensions, manifest.dimensions)
    if manifest.format == FORMAT:
        shapes["crowding"] = (manifest.examples,)
    for name, shape in shapes.items():
        _fits(f"shape of {name}", arrays[name].shape if name in arrays else None, shape)
    floats = {name: np.asarray(arrays[name], dtype=np.float32) for name in shapes if name != "truth"}
    for name, numbers in floats.items():
        _fits(f"numbers of {name}", bool(np.isfinite(numbers).all()), True)  # noqa: FBT003 - what is wanted
    return Numbers(truth=np.asarray(arrays["truth"], dtype=np.intp), **floats)


def stored(numbers: Numbers) -> bytes:
    """Return the numbers as they are written: half precision, which costs nothing that can be measured."""
    content = io.BytesIO()
    half = {name: getattr(numbers, name).astype(np.float16) for name in ("examples", "duals", "ngrams", "idf")}
    for name in ("shift", "crowding"):
        if (more := getattr(numbers, name)) is not None:
            half[name] = more.astype(np.float16)
    np.savez_compressed(content, truth=numbers.truth.astype(np.int32), **half)
    return content.getvalue()


def _fits(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise SupportError("intents_mismatch", f"the intent model does not fit ({what}): {_RETRAIN}")
