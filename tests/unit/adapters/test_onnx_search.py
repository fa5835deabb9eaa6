"""A second embedder's files: used as they are meant to be, or refused by name; its version changes with all of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support_agents.adapters.onnx import TOKENIZER_PATH, model_path
from support_agents.adapters.onnx_search import CODE, Pooling, SearchEmbedder, SearchFiles
from support_agents.domain.errors import SupportError
from tests.fixtures.tiny_encoder import DIMENSIONS, WORDS, written


def opened(folder: Path, **settings: Any) -> SearchEmbedder:
    embedder = SearchEmbedder(SearchFiles(model=folder, **settings))
    embedder.close()
    return embedder


async def test_dimensions_are_the_models_and_prefixes_make_two_kinds_of_text(tmp_path: Path) -> None:
    files = SearchFiles(model=written(tmp_path), query_prefix="query: ", passage_prefix="passage: ")
    embedder = SearchEmbedder(files)
    views = (embedder.queries, embedder.passages, embedder.background)
    asked, kept, aside = [(await view.embed(["order"]))[0] for view in views]
    embedder.close()
    assert embedder.dimensions == len(asked) == DIMENSIONS
    assert not np.allclose(asked, kept)
    assert np.allclose(asked, aside)


async def test_pooling_takes_the_mean_or_the_first_token(tmp_path: Path) -> None:
    folder = written(tmp_path)
    first = SearchEmbedder(SearchFiles(model=folder, pooling=Pooling.CLS))
    mean = SearchEmbedder(SearchFiles(model=folder))
    rows, means = (
        await first.queries.embed(["order cat", "order lamp"]),
        await mean.queries.embed(["order", "order cat"]),
    )
    first.close()
    mean.close()
    assert np.allclose(rows[0], rows[1])
    assert np.allclose(rows[0], means[0], atol=1e-6)
    assert not np.allclose(rows[0], means[1])


async def test_a_long_text_is_cut_at_the_limit(tmp_path: Path) -> None:
    embedder = SearchEmbedder(SearchFiles(model=written(tmp_path), max_tokens=16))
    long, cut = await embedder.queries.embed(["order " * 16 + "cat " * 90, "order " * 16])
    embedder.close()
    assert np.allclose(long, cut)


def test_the_version_changes_with_every_file_and_setting(tmp_path: Path) -> None:
    folder = written(tmp_path)
    versions = [
        opened(folder, **settings).version
        for settings in (
            {},
            {"pooling": Pooling.CLS},
            {"query_prefix": "query: "},
            {"passage_prefix": "query: "},
            {"max_tokens": 64},
        )
    ]
    assert opened(folder).version == versions[0]
    (folder / "model.onnx_data").write_bytes(b"weights beside it")
    versions.append(opened(folder).version)
    tokenizer = folder / "tokenizer.json"
    tokenizer.write_text(tokenizer.read_text(encoding="utf-8") + " ", encoding="utf-8")
    versions.append(opened(folder).version)
    assert len({*versions}) == len(versions)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("model.onnx", None, "cannot be read: No such file"),
        ("model.onnx", b"no model", "is no ONNX model"),
        ("tokenizer.json", None, "cannot be read: No such file"),
        ("tokenizer.json", b"{}", "is no tokenizer file"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, name: str, content: bytes | None, told: str) -> None:
    path = written(tmp_path) / name
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SupportError, match=told) as raised:
        opened(tmp_path)
    assert str(path) in str(raised.value)
    assert raised.value.code == CODE
    assert "docs/operations.md" in str(raised.value)


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ({"inputs": ("input_ids",)}, "has no input attention_mask"),
        ({"inputs": ("input_ids", "attention_mask", "pixel_values")}, "wants the input pixel_values"),
        ({"sizes": ("texts", "dimensions")}, "is no ONNX model|no output with a vector for each token"),
        ({"rows": len(WORDS) - 1}, f"knows {len(WORDS)} tokens, more than the model"),
        ({"rows": 5_000}, f"knows only {len(WORDS)} tokens, the model many more"),
    ],
)
def test_a_model_that_is_none_of_this_kind_or_another_tokenizers_is_refused(
    tmp_path: Path, made: Mapping[str, Any], told: str
) -> None:
    with pytest.raises(SupportError, match=told) as raised:
        opened(written(tmp_path, **made))
    assert raised.value.code == CODE


def test_a_model_that_takes_fewer_tokens_says_which_setting_to_lower() -> None:
    with pytest.raises(SupportError, match="takes fewer than 600 tokens; lower SUPPORT_SEARCH_MAX_TOKENS"):
        opened(model_path(), tokenizer=TOKENIZER_PATH, max_tokens=600)
