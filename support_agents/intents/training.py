"""Trains the intent head from examples, measures it out of fold and stores it; never imported at run time."""

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack  # type: ignore[import-untyped] # scipy ships no types
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from support_agents.domain.intent import UNKNOWN
from support_agents.intents.asks import read
from support_agents.intents.calibration import best_temperature, best_threshold, measured
from support_agents.intents.concepts import Concepts
from support_agents.intents.examples import Examples
from support_agents.intents.features import CONCEPT_COLUMNS, NGRAM_COLUMNS, Counts, Features, features
from support_agents.intents.likeness import groups
from support_agents.intents.manifest import HEAD_NAME, MANIFEST_NAME, Manifest, Weights
from support_agents.intents.model import Matrix, evident, softmax, weighted
from support_agents.intents.surroundings import Surroundings
from support_agents.ports import Embedder, Vector
from support_agents.screening.language import detect

FOLDS = 5
WEIGHTS = Weights(embedding=4.0, ngrams=4.0, concepts=4.0)
_INVERSE_PENALTY = 2.0
_MOST_STEPS = 400
_BATCH = 64

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Material:
    """Everything that a fit may look at; `truth[i]` is the class of row i."""

    vectors: Vector
    found: tuple[Features, ...]
    truth: NDArray[np.intp]

    def only(self, rows: NDArray[np.intp]) -> "Material":
        """Return a subset, in the order of `rows`."""
        return Material(self.vectors[rows], tuple(self.found[i] for i in rows), self.truth[rows])


@dataclass(frozen=True)
class Fitted:
    """The numbers of one head, as they are stored."""

    columns: Matrix
    bias: Matrix
    ngram_idf: Matrix
    concept_idf: Matrix

    def logits(self, material: Material) -> NDArray[np.float64]:
        """Return one row an example, one column a class."""
        return np.asarray(_rows(material, self.ngram_idf, self.concept_idf) @ self.columns + self.bias, np.float64)


async def train(examples_path: Path, embedder: Embedder, out_dir: Path, progress: Progress) -> Manifest:
    """Train on a file of examples and store head and manifest in `out_dir`; `progress(stage, done, total)`."""
    examples, concepts = Examples.load(examples_path), Concepts.load()
    classes = tuple(sorted(set(examples.intents)))
    texts = (*examples.texts, *Surroundings.load().around(examples.texts))
    material = Material(
        vectors=await _embedded(texts, embedder, progress),
        found=tuple(features(_matter(text), concepts) for text in texts),
        truth=np.array([classes.index(name) for name in examples.intents] * 2),
    )
    logits = _out_of_fold(material, progress)
    temperature = best_temperature(logits, material.truth)
    probabilities = _evident(softmax(logits / temperature), material, classes, concepts)
    unknown = classes.index(UNKNOWN)
    threshold = best_threshold(probabilities, material.truth, unknown)
    progress("fit", 0, 1)
    head = _stored(_fit(material))
    progress("fit", 1, 1)
    manifest = Manifest(
        created=datetime.now(UTC).date(),
        examples=len(examples.texts),
        data_sha256=examples.sha256,
        concepts_sha256=concepts.sha256,
        head_sha256=hashlib.sha256(head).hexdigest(),
        embedder=embedder.version,
        dimensions=embedder.dimensions,
        ngram_columns=NGRAM_COLUMNS,
        concept_columns=CONCEPT_COLUMNS,
        classes=classes,
        weights=WEIGHTS,
        temperature=temperature,
        threshold=threshold,
        metrics=measured(probabilities, material.truth, threshold=threshold, unknown=unknown),
    )
    _write(out_dir, head, manifest)
    return manifest


def _matter(text: str) -> str:
    """Return what the intent agent counts n-grams in: the message without its courtesies."""
    return read(text, detect(text, default="en").code).matter


async def _embedded(texts: tuple[str, ...], embedder: Embedder, progress: Progress) -> Vector:
    parts = []
    for start in range(0, len(texts), _BATCH):
        progress("embed", start, len(texts))
        parts.append(await embedder.embed(texts[start : start + _BATCH]))
    progress("embed", len(texts), len(texts))
    return np.concatenate(parts)


def _out_of_fold(material: Material, progress: Progress) -> NDArray[np.float64]:
    """Return each row's logits from a fit that has not seen it: temperature and threshold are chosen on these.

    The second half of the rows are the first half's examples in surroundings: an example is held out in both forms,
    and with all that say the same in other words.
    """
    half = len(material.truth) // 2
    truth, vectors = material.truth[:half], material.vectors[:half]
    logits = np.zeros((len(material.truth), int(material.truth.max()) + 1))
    together = groups(truth, vectors, [one.said for one in material.found[:half]], folds=FOLDS)
    splits = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=1).split(vectors, truth, together)
    for fold, (seen, held) in enumerate(splits):
        progress("validate", fold, FOLDS)
        both = np.concatenate([held, held + half])
        logits[both] = _fit(material.only(np.concatenate([seen, seen + half]))).logits(material.only(both))
    progress("validate", FOLDS, FOLDS)
    return logits


def _evident(
    probabilities: NDArray[np.float64], material: Material, classes: tuple[str, ...], concepts: Concepts
) -> NDArray[np.float64]:
    rows = zip(probabilities, material.found, strict=True)
    return np.stack([evident(row, found, classes=classes, evidence=concepts.evidence) for row, found in rows])


def _fit(material: Material) -> Fitted:
    """Fit idf weights and a multinomial logistic regression; numbers are rounded to what is stored."""
    ngram_idf = _idf([one.ngrams for one in material.found], NGRAM_COLUMNS)
    concept_idf = _idf([one.concepts for one in material.found], CONCEPT_COLUMNS)
    model = LogisticRegression(C=_INVERSE_PENALTY, max_iter=_MOST_STEPS, tol=1e-3)
    model.fit(_rows(material, ngram_idf, concept_idf), material.truth)
    columns = np.asarray(model.coef_.T, dtype=np.float16).astype(np.float32)
    return Fitted(columns, np.asarray(model.intercept_, dtype=np.float32), ngram_idf, concept_idf)


def _idf(counts: list[Counts], columns: int) -> Matrix:
    """Return smoothed inverse document frequencies, one a column."""
    documents = np.zeros(columns)
    for one in counts:
        documents[one.columns] += 1
    return np.asarray(np.log((1 + len(counts)) / (1 + documents)) + 1, dtype=np.float16).astype(np.float32)


def _rows(material: Material, ngram_idf: Matrix, concept_idf: Matrix) -> csr_matrix:
    """Return the weighted feature matrix, columns in the order of the head's."""
    blocks = [
        csr_matrix(material.vectors * WEIGHTS.embedding),
        _sparse([one.ngrams for one in material.found], ngram_idf) * WEIGHTS.ngrams,
        _sparse([one.concepts for one in material.found], concept_idf) * WEIGHTS.concepts,
    ]
    return hstack(blocks).tocsr()


def _sparse(counts: list[Counts], idf: Matrix) -> csr_matrix:
    ends = np.cumsum([0, *(len(one.columns) for one in counts)])
    columns = np.concatenate([one.columns for one in counts])
    values = np.concatenate([weighted(one, idf) for one in counts])
    return csr_matrix((values, columns, ends), shape=(len(counts), len(idf)))


def _stored(fitted: Fitted) -> bytes:
    content = io.BytesIO()
    np.savez_compressed(
        content,
        columns=fitted.columns.astype(np.float16),
        bias=fitted.bias,
        ngram_idf=fitted.ngram_idf.astype(np.float16),
        concept_idf=fitted.concept_idf.astype(np.float16),
    )
    return content.getvalue()


def _write(out_dir: Path, head: bytes, manifest: Manifest) -> None:
    """Write the manifest last, so that a half-written head is refused by its hash."""
    out_dir.mkdir(parents=True, exist_ok=True)
    (out_dir / HEAD_NAME).write_bytes(head)
    (out_dir / MANIFEST_NAME).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
