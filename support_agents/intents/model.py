"""The trained intent head at run time: numpy alone, no training library, nothing unpickled."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from support_agents.domain.errors import SupportError
from support_agents.domain.intent import UNKNOWN, IntentScore
from support_agents.intents.concepts import Concepts
from support_agents.intents.features import CONCEPT_COLUMNS, NGRAM_COLUMNS, Counts, Features, features
from support_agents.intents.manifest import FORMAT, HEAD_NAME, MANIFEST_NAME, Manifest
from support_agents.ports import Vector

SHIPPED = Path(__file__).with_name("shipped")
_RETRAIN = "run `support-agents intents train`"

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class IntentHead:
    """`IntentModel`: a multinomial logistic head; `columns` rows are embedding, n-grams, concepts, in that order."""

    manifest: Manifest
    concepts: Concepts
    columns: Matrix
    bias: Matrix
    ngram_idf: Matrix
    concept_idf: Matrix

    @classmethod
    def load(cls, folder: Path = SHIPPED, *, embedder_version: str) -> "IntentHead":
        """Read a stored head; `SupportError` says what does not fit and which command mends it."""
        manifest = _manifest(folder)
        concepts = Concepts.load()
        _fits("embedder", manifest.embedder, embedder_version)
        _fits("concepts", manifest.concepts_sha256, concepts.sha256)
        arrays = _arrays(folder / HEAD_NAME, manifest)
        return cls(manifest, concepts, *(arrays[name] for name in ("columns", "bias", "ngram_idf", "concept_idf")))

    @property
    def version(self) -> str:
        """Name, examples and bytes of the head."""
        return f"intents.{self.manifest.data_sha256[:8]}.{self.manifest.head_sha256[:8]}"

    @property
    def threshold(self) -> float:
        """Top probability below which the intent is `unknown`."""
        return self.manifest.threshold

    @property
    def names(self) -> tuple[str, ...]:
        """Every intent that it can name, `unknown` among them."""
        return self.manifest.classes

    def rank(self, text: str, vector: Vector) -> tuple[IntentScore, ...]:
        """Return all classes with calibrated probabilities, best first; `vector` has shape (dimensions,)."""
        found = features(text, self.concepts)
        calibrated = softmax(self._logits(found, vector) / self.manifest.temperature)
        probabilities = evident(calibrated, found, classes=self.manifest.classes, evidence=self.concepts.evidence)
        order = np.argsort(-probabilities, kind="stable")
        ranked = zip(order.tolist(), probabilities[order].tolist(), strict=True)
        classes = self.manifest.classes
        return tuple(IntentScore(name=classes[at], probability=min(1.0, probability)) for at, probability in ranked)

    def logits(self, text: str, vector: Vector) -> NDArray[np.float64]:
        """Return one number a class, not yet calibrated."""
        return self._logits(features(text, self.concepts), vector)

    def _logits(self, found: Features, vector: Vector) -> NDArray[np.float64]:
        weights, manifest = self.manifest.weights, self.manifest
        embedding, rest = self.columns[: manifest.dimensions], self.columns[manifest.dimensions :]
        ngrams, concepts = rest[: manifest.ngram_columns], rest[manifest.ngram_columns :]
        return np.asarray(
            weights.embedding * (vector @ embedding)
            + weights.ngrams * (weighted(found.ngrams, self.ngram_idf) @ ngrams[found.ngrams.columns])
            + weights.concepts * (weighted(found.concepts, self.concept_idf) @ concepts[found.concepts.columns])
            + self.bias,
            dtype=np.float64,
        )


def weighted(counts: Counts, idf: Matrix) -> Matrix:
    """Return tf-idf values of length 1 for `counts.columns`; zeros where there are none."""
    values = (1 + np.log(counts.counts)) * idf[counts.columns]
    return np.asarray(values / max(float(np.linalg.norm(values)), 1e-9), dtype=np.float32)


def evident(
    probabilities: NDArray[np.float64],
    found: Features,
    *,
    classes: Sequence[str],
    evidence: Mapping[str, frozenset[str]],
) -> NDArray[np.float64]:
    """Return the probabilities with those of intents that a text has no evidence for given to `unknown`."""
    lacking = [place for place, name in enumerate(classes) if name in evidence and not evidence[name] & found.said]
    if not lacking:
        return probabilities
    kept = probabilities.copy()
    kept[lacking] = 0.0
    kept[classes.index(UNKNOWN)] += probabilities[lacking].sum()
    return kept


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities along the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), dtype=np.float64)


def _manifest(folder: Path) -> Manifest:
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST_NAME).read_bytes())
    except OSError as error:
        raise SupportError("intents_missing", f"there is no intent model in {folder.name}: {_RETRAIN}") from error
    except ValidationError as error:
        raise SupportError("intents_unreadable", f"{MANIFEST_NAME} is not a manifest: {_RETRAIN}") from error
    _fits("format", manifest.format, FORMAT)
    _fits("n-gram columns", manifest.ngram_columns, NGRAM_COLUMNS)
    _fits("concept columns", manifest.concept_columns, CONCEPT_COLUMNS)
    return manifest


def _arrays(path: Path, manifest: Manifest) -> dict[str, Matrix]:
    """Read the arrays after their hash, then check every shape."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SupportError("intents_missing", f"{HEAD_NAME} is not beside its manifest: {_RETRAIN}") from error
    _fits(HEAD_NAME, hashlib.sha256(content).hexdigest(), manifest.head_sha256)
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        arrays = {name: np.asarray(stored[name], dtype=np.float32) for name in stored.files}
    for name, shape in _shapes(manifest).items():
        _fits(f"shape of {name}", arrays[name].shape if name in arrays else None, shape)
    return arrays


def _shapes(manifest: Manifest) -> dict[str, tuple[int, ...]]:
    rows = manifest.dimensions + manifest.ngram_columns + manifest.concept_columns
    return {
        "columns": (rows, len(manifest.classes)),
        "bias": (len(manifest.classes),),
        "ngram_idf": (manifest.ngram_columns,),
        "concept_idf": (manifest.concept_columns,),
    }


def _fits(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise SupportError("intents_mismatch", f"the intent model does not fit ({what}): {_RETRAIN}")
