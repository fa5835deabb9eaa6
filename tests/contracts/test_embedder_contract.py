"""What every embedder promises, asked of the real one and its views, of those for search alone, and of the fake."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from support_agents.adapters.onnx import TOKENIZER_PATH, OnnxEmbedder, model_path
from support_agents.adapters.onnx_search import SearchEmbedder, SearchFiles
from support_agents.ports import Embedder
from support_agents.testing.knowledge import HashEmbedder
from tests.fixtures.tiny_encoder import written


@pytest.fixture(scope="module")
def real() -> Iterator[OnnxEmbedder]:
    embedder = OnnxEmbedder()
    yield embedder
    embedder.close()


def search_of(files: SearchFiles) -> Iterator[SearchEmbedder]:
    prefixed = replace(files, query_prefix="query: ", passage_prefix="passage: ")
    embedder = SearchEmbedder(prefixed)
    yield embedder
    embedder.close()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchEmbedder]:
    yield from search_of(SearchFiles(model=written(tmp_path_factory.mktemp("tiny"))))


@pytest.fixture(scope="module")
def minilm() -> Iterator[SearchEmbedder]:
    yield from search_of(SearchFiles(model=model_path(), tokenizer=TOKENIZER_PATH))


@pytest.fixture(
    params=[
        "real",
        "background",
        "indexing",
        "fake",
        "tiny queries",
        "tiny passages",
        "minilm queries",
        "minilm passages",
    ]
)
def embedder(
    request: pytest.FixtureRequest, real: OnnxEmbedder, tiny: SearchEmbedder, minilm: SearchEmbedder
) -> Embedder:
    made: dict[str, Embedder] = {
        "real": real,
        "background": real.background,
        "indexing": real.indexing,
        "fake": HashEmbedder(),
        "tiny queries": tiny.queries,
        "tiny passages": tiny.passages,
        "minilm queries": minilm.queries,
        "minilm passages": minilm.passages,
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
