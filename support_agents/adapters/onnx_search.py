"""A second embedder for search alone, from files of the installation's own; it opens no socket and knows no vendor.

The files are what exporters write: a model with the inputs `input_ids` and `attention_mask` (maybe `token_type_ids`,
`position_ids`) and one output with a vector for each token, and the model's own `tokenizer.json`. All that can be known
of them without a customer's message is tried when they are loaded.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from support_agents.adapters.embedding_thread import Urgency, Worker, in_batches
from support_agents.adapters.onnx import session_of
from support_agents.domain.errors import SupportError
from support_agents.ports import Vector

CODE = "search_model_invalid"
MODEL_NAME, TOKENIZER_NAME = "model.onnx", "tokenizer.json"
_REQUIRED, _OPTIONAL = {"input_ids", "attention_mask"}, {"token_type_ids", "position_ids"}
_PER_TOKEN = 3  # axes of an output: texts, tokens, dimensions
# Models have more rows of tokens than their tokenizer has tokens, but not many more.
_SPARE_SHARE, _SPARE_ROWS = 1.02, 1_024
_TRIAL = "Where is my order? "
_HASHED_AT_ONCE = 1 << 22

Ids = NDArray[np.int64]


class Pooling(StrEnum):
    """How the vectors of a text's tokens become one."""

    MEAN = "mean"
    CLS = "cls"


@dataclass(frozen=True, kw_only=True)
class SearchFiles:
    """Where the model is and how it was trained to be used; the wrong prefixes or pooling make it worse, not broken."""

    model: Path
    tokenizer: Path | None = None
    pooling: Pooling = Pooling.MEAN
    query_prefix: str = ""
    passage_prefix: str = ""
    max_tokens: int = 192

    @property
    def model_file(self) -> Path:
        """The model itself, where a folder was named the one in it."""
        return self.model / MODEL_NAME if self.model.is_dir() else self.model

    @property
    def tokenizer_file(self) -> Path:
        """The tokenizer's file, by default beside the model."""
        return self.tokenizer or self.model_file.with_name(TOKENIZER_NAME)


class SearchEmbedder:
    """One model with a thread of its own and two `Embedder`s, `queries` and `passages`, which may be compared.

    `background` are queries that nobody waits for. No vector may be compared with another model's; `version` changes
    with every byte and every setting.
    """

    def __init__(self, files: SearchFiles, *, threads: int = 1) -> None:
        encoder = _Encoder.load(files, threads=threads)
        self.version = _version(files)
        self.dimensions = encoder.dimensions
        self._worker = Worker(encoder.vectors)
        self.queries = _View(self, files.query_prefix, Urgency.MESSAGE)
        self.background = _View(self, files.query_prefix, Urgency.BACKGROUND)
        self.passages = _View(self, files.passage_prefix, Urgency.BACKGROUND)

    async def prefixed(self, texts: Sequence[str], prefix: str, urgency: Urgency) -> Vector:
        """Embed `texts`, each behind `prefix`."""
        return await in_batches(self._worker, [prefix + text for text in texts], urgency, self.dimensions)

    def close(self) -> None:
        """Finish waiting work and end the thread; safe to call twice."""
        self._worker.close()


@dataclass(frozen=True)
class _View:
    """`Embedder` of one kind of text."""

    owner: SearchEmbedder
    prefix: str
    urgency: Urgency

    @property
    def version(self) -> str:
        """That of the model: queries and passages are compared with each other."""
        return self.owner.version

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self.owner.dimensions

    async def embed(self, texts: Sequence[str]) -> Vector:
        """Embed texts; queries go before passages."""
        return await self.owner.prefixed(texts, self.prefix, self.urgency)


@dataclass(frozen=True)
class _Encoder:
    """Model and tokenizer; computes in the calling thread."""

    session: Any  # of the runtime, which ships no types
    tokenizer: Tokenizer
    output: str
    pooling: Pooling
    dimensions: int

    @classmethod
    def load(cls, files: SearchFiles, *, threads: int) -> "_Encoder":
        """Load both files and try them; a `SupportError` with `CODE` names the file and what is wrong with it."""
        path = files.model_file
        _readable(path)
        tokenizer = _tokenizer(files)
        try:
            session = session_of(path, threads=threads)
        except Exception as error:  # the runtime raises classes of its own for every fault of a file
            raise _invalid(path, "is no ONNX model that this runtime reads") from error
        _check_inputs(path, session)
        encoder = cls(session, tokenizer, _output(path, session), files.pooling, 0)
        _check_tokens(files, encoder)
        found = encoder.tried([[0] * files.max_tokens])
        if found is None:
            raise _invalid(path, f"takes fewer than {files.max_tokens} tokens; lower SUPPORT_SEARCH_MAX_TOKENS")
        trial = encoder.vectors([_TRIAL])
        if not np.isfinite(trial).all():
            raise _invalid(path, "gives no usable vector for a short question; export the model anew")
        return cls(session, tokenizer, encoder.output, files.pooling, int(trial.shape[1]))

    def vectors(self, texts: Sequence[str]) -> Vector:
        """Return unit vectors, a row a text."""
        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        # A text of which nothing is left (and a tokenizer without marks) still is one token.
        rows = [self.tokenizer.encode(text).ids or [0] for text in texts]
        tokens, mask = self.tokens(rows)
        if self.pooling is Pooling.CLS:
            pooled = tokens[:, 0]
        else:
            weights = mask[:, :, None].astype(np.float32)
            pooled = (tokens * weights).sum(axis=1) / weights.sum(axis=1)
        return np.asarray(pooled / np.linalg.norm(pooled, axis=1, keepdims=True), dtype=np.float32)

    def tokens(self, rows: Sequence[Sequence[int]]) -> tuple[Vector, Ids]:
        """Return a vector for each token, shape (texts, tokens, dimensions), and which of them are no padding."""
        ids = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
        mask = np.zeros_like(ids)
        for at, row in enumerate(rows):
            ids[at, : len(row)] = row
            mask[at, : len(row)] = 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        feed["position_ids"] = np.broadcast_to(np.arange(ids.shape[1], dtype=np.int64), ids.shape)
        wanted = {given.name for given in self.session.get_inputs()}
        (found,) = self.session.run([self.output], {name: value for name, value in feed.items() if name in wanted})
        return np.asarray(found, dtype=np.float32), mask

    def tried(self, rows: Sequence[Sequence[int]]) -> Vector | None:
        """As `tokens`, None where the model cannot take them."""
        try:
            return self.tokens(rows)[0]
        except Exception:  # noqa: BLE001 - the runtime raises classes of its own; which says nothing more
            return None


def _readable(path: Path) -> None:
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise _invalid(path, f"cannot be read: {error.strerror}") from error


def _tokenizer(files: SearchFiles) -> Tokenizer:
    path = files.tokenizer_file
    _readable(path)
    try:
        tokenizer = Tokenizer.from_file(str(path))
        tokenizer.enable_truncation(files.max_tokens)
    except Exception as error:  # the library raises a bare Exception for a file that it cannot read
        raise _invalid(path, "is no tokenizer file, or not one that can be cut to so few tokens") from error
    tokenizer.no_padding()
    return tokenizer


def _check_inputs(path: Path, session: Any) -> None:  # noqa: ANN401 - of the runtime, which ships no types
    names = {given.name for given in session.get_inputs()}
    if missing := _REQUIRED - names:
        raise _invalid(path, f"has no input {', '.join(sorted(missing))}; export it for feature extraction")
    if strange := names - _REQUIRED - _OPTIONAL:
        raise _invalid(path, f"wants the input {', '.join(sorted(strange))}, which no text encoder does")


def _output(path: Path, session: Any) -> str:  # noqa: ANN401 - of the runtime, which ships no types
    """Return the first output with a vector for each token."""
    outputs = session.get_outputs()
    name = next((str(one.name) for one in outputs if len(one.shape) == _PER_TOKEN), None)
    if name is None:
        told = ", ".join(f"{one.name} {one.shape}" for one in outputs)
        raise _invalid(path, f"has no output with a vector for each token, only {told}; export it without pooling")
    return name


def _check_tokens(files: SearchFiles, encoder: _Encoder) -> None:
    """Refuse a tokenizer that has more tokens than the model, or so many fewer that it must be another model's."""
    size = encoder.tokenizer.get_vocab_size(with_added_tokens=True)
    if encoder.tried([[0]]) is None:
        raise _invalid(files.model_file, "cannot compute a single token; export it for this runtime")
    path = files.tokenizer_file
    if encoder.tried([[size - 1]]) is None:
        raise _invalid(path, f"knows {size} tokens, more than the model; it is another model's")
    if encoder.tried([[int(size * _SPARE_SHARE) + _SPARE_ROWS]]) is not None:
        raise _invalid(path, f"knows only {size} tokens, the model many more; it is another model's")


def _version(files: SearchFiles) -> str:
    """Name the model and a hash of its bytes, weights in files beside it, its tokenizer, and every setting."""
    path = files.model_file
    told = hashlib.sha256(repr((files.pooling, files.query_prefix, files.passage_prefix)).encode())
    for one in (*sorted(path.parent.glob(f"{path.name}*")), files.tokenizer_file):
        told.update(_digest(one))
    return f"{path.parent.name}.{told.hexdigest()[:8]}.{files.pooling}.{files.max_tokens}"


def _digest(path: Path) -> bytes:
    digest = hashlib.sha256()
    with path.open("rb") as stored:
        while content := stored.read(_HASHED_AT_ONCE):
            digest.update(content)
    return digest.digest()


def _invalid(path: Path, problem: str) -> SupportError:
    return SupportError(CODE, f"{path} {problem}; see “Search in other languages” in docs/operations.md")
