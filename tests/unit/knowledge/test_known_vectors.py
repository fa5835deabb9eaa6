"""Known vectors save computing and change no result; an unknown text or another model computes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from support_agents.domain.errors import SupportError
from support_agents.knowledge.known_vectors import KnownVectors, save
from support_agents.ports import Vector
from support_agents.testing.knowledge import HashEmbedder


class CountingEmbedder(HashEmbedder):
    """Counts the texts that it is asked for."""

    def __init__(self, dimensions: int = 384) -> None:
        super().__init__(dimensions)
        self.asked: list[str] = []

    async def embed(self, texts: Sequence[str]) -> Vector:
        self.asked += texts
        return await super().embed(texts)


async def test_only_unknown_texts_are_computed_and_rows_stay_in_order(tmp_path: Path) -> None:
    await save(["return a lamp", "pay by card", "pay by card"], HashEmbedder(), tmp_path / "v.npz")
    embedder = CountingEmbedder()
    known = KnownVectors.load(tmp_path / "v.npz", embedder)
    wanted = ["a new text", "pay by card", "return a lamp", "another"]
    found = await known.embed(wanted)
    assert embedder.asked == ["a new text", "another"]
    assert np.allclose(found, await HashEmbedder().embed(wanted), atol=1e-3)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)


async def test_nothing_to_embed_is_an_empty_matrix(tmp_path: Path) -> None:
    await save(["x"], HashEmbedder(), tmp_path / "v.npz")
    assert (await KnownVectors.load(tmp_path / "v.npz", HashEmbedder()).embed([])).shape == (0, 384)


async def test_another_models_vectors_are_not_known(tmp_path: Path) -> None:
    await save(["x"], HashEmbedder(384), tmp_path / "v.npz")
    assert not KnownVectors.load(tmp_path / "v.npz", HashEmbedder(64)).knows("x")


async def test_equal_texts_give_an_equal_file(tmp_path: Path) -> None:
    await save(["b", "a"], HashEmbedder(), tmp_path / "1.npz")
    await save(["a", "b", "a"], HashEmbedder(), tmp_path / "2.npz")
    assert (tmp_path / "1.npz").read_bytes() == (tmp_path / "2.npz").read_bytes()


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "v.npz").write_bytes(b"no vectors")
    with pytest.raises(SupportError, match="not a file of vectors"):
        KnownVectors.load(tmp_path / "v.npz", HashEmbedder())
