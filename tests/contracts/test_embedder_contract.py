"""What every embedder promises, asked of the real one, its two views for background work and the fake."""

from collections.abc import Iterator

import numpy as np
import pytest

from support_agents.adapters.onnx import OnnxEmbedder
from support_agents.ports import Embedder
from support_agents.testing.knowledge import HashEmbedder


@pytest.fixture(scope="module")
def real() -> Iterator[OnnxEmbedder]:
    embedder = OnnxEmbedder()
    yield embedder
    embedder.close()


@pytest.fixture(params=["real", "background", "indexing", "fake"])
def embedder(request: pytest.FixtureRequest, real: OnnxEmbedder) -> Embedder:
    made: dict[str, Embedder] = {
        "real": real,
        "background": real.background,
        "indexing": real.indexing,
        "fake": HashEmbedder(),
    }
    return made[request.param]


TEXTS = ("Where is my order?", "", "I want my money back", "返品したい", "word " * 400)


async def test_vectors_are_unit_rows_in_the_order_of_the_texts(embedder: Embedder) -> None:
    vectors = await embedder.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dimensions)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    for text, vector in zip(TEXTS, vectors, strict=True):
        alone = await embedder.embed([text])
        assert float(alone[0] @ vector) > 0.999


async def test_the_same_text_has_the_same_vector(embedder: Embedder) -> None:
    first, second = await embedder.embed(["Where is my order?", "Where is my order?"])
    assert float(first @ second) > 0.9999


async def test_alike_is_nearer_than_unlike(embedder: Embedder) -> None:
    order, status, cat = await embedder.embed(["Where is my order?", "Show me where my order is", "The cat sleeps"])
    assert float(order @ status) > float(order @ cat) + 0.2


async def test_no_text_gives_no_row(embedder: Embedder) -> None:
    assert (await embedder.embed([])).shape == (0, embedder.dimensions)


async def test_version_is_stable(embedder: Embedder) -> None:
    assert embedder.version
    assert embedder.version == embedder.version.strip()
