import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from support_agents.adapters import onnx
from support_agents.adapters.embedding_thread import BATCH_CHARACTERS, BATCH_TEXTS, Urgency, Worker, batches_of
from support_agents.adapters.onnx import OnnxEmbedder
from support_agents.domain.errors import SupportError
from support_agents.ports import Vector


async def test_a_message_goes_before_waiting_background_work() -> None:
    order: list[str] = []
    gate = threading.Event()

    def compute(texts: Sequence[str]) -> Vector:
        gate.wait(5)
        order.extend(texts)
        return np.zeros((len(texts), 384), dtype=np.float32)

    worker = Worker(compute)
    futures = [worker.submit([f"background {n}"], Urgency.BACKGROUND) for n in range(3)]
    futures.append(worker.submit(["message"], Urgency.MESSAGE))
    gate.set()
    await asyncio.gather(*map(asyncio.wrap_future, futures))
    worker.close()
    assert order.index("message") <= 1
    assert [text for text in order if text != "message"] == ["background 0", "background 1", "background 2"]


async def test_an_error_reaches_the_caller_and_the_thread_lives_on() -> None:
    def compute(texts: Sequence[str]) -> Vector:
        if texts[0] == "bad":
            raise ValueError(texts[0])
        return np.ones((1, 384), dtype=np.float32)

    worker = Worker(compute)
    with pytest.raises(ValueError, match="bad"):
        await asyncio.wrap_future(worker.submit(["bad"], Urgency.MESSAGE))
    assert (await asyncio.wrap_future(worker.submit(["good"], Urgency.MESSAGE))).shape == (1, 384)
    worker.close()


async def test_what_nobody_waits_for_any_more_is_not_computed() -> None:
    computed: list[str] = []
    gate = threading.Event()

    def compute(texts: Sequence[str]) -> Vector:
        gate.wait(5)
        computed.extend(texts)
        return np.zeros((len(texts), 384), dtype=np.float32)

    worker = Worker(compute)
    first = worker.submit(["first"], Urgency.MESSAGE)
    given_up = worker.submit(["given up"], Urgency.BACKGROUND)
    given_up.cancel()
    gate.set()
    await asyncio.wrap_future(first)
    worker.close()
    assert computed == ["first"]


def test_a_closed_embedder_says_so() -> None:
    embedder = OnnxEmbedder()
    embedder.close()
    embedder.close()
    with pytest.raises(SupportError, match="closed"):
        asyncio.run(embedder.embed(["x"]))


def test_a_changed_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = tmp_path / "minilm_tokenizer.json"
    changed.write_bytes(onnx.TOKENIZER_PATH.read_bytes() + b" ")
    monkeypatch.setattr(onnx, "TOKENIZER_PATH", changed)
    with pytest.raises(SupportError, match="not the file that was measured") as refused:
        OnnxEmbedder()
    assert refused.value.code == "model_changed"


def test_batches_are_small_and_hold_every_text_once() -> None:
    texts = ["x" * length for length in (1, 900, 30, 30, 30, 200, 200, 400, 5, 5, 5, 5, 5, 5, 5, 5, 5)]
    batches = batches_of(texts)
    assert sorted(index for batch in batches for index in batch) == list(range(len(texts)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(len(texts[i]) for i in batch) <= BATCH_CHARACTERS
        assert len(batch) <= BATCH_TEXTS


async def test_known_vectors_have_not_moved() -> None:
    embedder = OnnxEmbedder()
    order, parcel, cat = await embedder.embed(
        ["Where is my order?", "I want to know the status of my package", "The cat sat on the mat"]
    )
    embedder.close()
    assert float(order @ parcel) == pytest.approx(0.389, abs=0.02)
    assert float(order @ cat) == pytest.approx(0.034, abs=0.02)


_ARTICLES = (
    "Returning a lamp › What you need\nSend it back in its box within thirty days; the label is in your account.",
    "Tarjetas\nPuede bloquear su tarjeta en la aplicación.",
    "Rückgabe",
    "Prices\n| size | EUR |\n| 10 cm | 12.50 |",
    "",
    "Delivery takes about four working days. " * 40,
)


async def test_vectors_for_indexing_are_nearly_those_of_the_model() -> None:
    embedder = OnnxEmbedder()
    exact, quick = await embedder.embed(_ARTICLES), await embedder.indexing.embed(_ARTICLES)
    embedder.close()
    alike = (exact * quick).sum(axis=1)
    # A processor that multiplies 8 bits in pairs clips some sums; what suffers most is a text of nothing.
    assert float(alike.min()) > 0.97
    assert float(alike.mean()) > 0.985
    assert not np.array_equal(exact, quick), "this is to be the other graph"
    # Articles stay as far from each other as they were.
    assert np.abs(exact @ exact.T - quick @ quick.T).max() < 0.06


async def test_a_vector_for_indexing_does_not_depend_on_what_is_embedded_beside_it() -> None:
    embedder = OnnxEmbedder()
    together = await embedder.indexing.embed(_ARTICLES)
    alone = [await embedder.indexing.embed([text]) for text in _ARTICLES]
    embedder.close()
    assert np.array_equal(together, np.concatenate(alone))


async def test_a_message_goes_before_waiting_texts_for_the_index() -> None:
    embedder = OnnxEmbedder()
    await embedder.indexing.embed(["load the graph"])
    indexing = asyncio.ensure_future(embedder.indexing.embed(["word " * 100] * 40))
    await asyncio.sleep(0)
    await embedder.embed(["Where is my order?"])
    assert not indexing.done()
    assert (await indexing).shape == (40, 384)
    embedder.close()


async def test_a_changed_graph_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = tmp_path / "minilm_indexing.onnx"
    changed.write_bytes(onnx.INDEXING_PATH.read_bytes() + b" ")
    monkeypatch.setattr(onnx, "INDEXING_PATH", changed)
    embedder = OnnxEmbedder()
    with pytest.raises(SupportError, match="not the file that was measured"):
        await embedder.indexing.embed(["x"])
    embedder.close()
