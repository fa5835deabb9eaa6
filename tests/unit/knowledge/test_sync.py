import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.knowledge.indexing import PassageIndexer
from support_agents.knowledge.sync import KnowledgeSync
from support_agents.knowledge.title_vectors import TitleVectors
from support_agents.ports import Vector
from support_agents.testing.knowledge import HashEmbedder, ListStore, MemoryPassageStore


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("returns", "shipping", "warranty"):
        (tmp_path / f"{name}.md").write_text(f"# {name.title()}\nAll about {name} of lamps in our shop.")
    return tmp_path


async def test_the_first_sync_adds_and_the_second_changes_nothing(folder: Path) -> None:
    store = MemoryPassageStore()
    first = await KnowledgeSync(store).sync(folder, DEFAULT_WORKSPACE)
    assert (first.added, first.changed, first.unchanged, first.removed, first.passages) == (3, 0, 0, 0, 3)
    changes = store.changes
    second = await KnowledgeSync(store).sync(folder, DEFAULT_WORKSPACE)
    assert (second.added, second.changed, second.unchanged, second.removed, second.passages) == (0, 0, 3, 0, 0)
    assert store.changes == changes


async def test_changed_and_removed_files_are_told_apart(folder: Path) -> None:
    store = MemoryPassageStore()
    await KnowledgeSync(store).sync(folder, DEFAULT_WORKSPACE)
    (folder / "returns.md").write_text("# Returns\nNow sixty days.")
    (folder / "shipping.md").unlink()
    (folder / "new.md").write_text("Something new about cushions.")
    synced = await KnowledgeSync(store).sync(folder, DEFAULT_WORKSPACE)
    assert (synced.added, synced.changed, synced.unchanged, synced.removed) == (1, 1, 1, 1)
    texts = {p.text for p in await store.passages(DEFAULT_WORKSPACE, [*await store.passage_ids(DEFAULT_WORKSPACE)])}
    assert "Now sixty days." in texts
    assert not any("shipping" in text for text in texts)


async def test_a_file_that_breaks_keeps_its_last_good_version(folder: Path) -> None:
    store = MemoryPassageStore()
    await KnowledgeSync(store).sync(folder, DEFAULT_WORKSPACE)
    (folder / "returns.md").write_bytes(b"\xff")
    (folder / "shipping.md").unlink()
    synced = await KnowledgeSync(store).sync(folder, DEFAULT_WORKSPACE)
    assert synced.removed == 1
    assert [broken.path for broken in synced.broken] == ["returns.md"]
    assert set(await store.article_hashes(DEFAULT_WORKSPACE)) == {"returns", "warranty"}


async def test_an_article_of_which_nothing_tells_the_language_is_in_the_accounts(tmp_path: Path) -> None:
    (tmp_path / "x-200.md").write_text("# X-200\nX-200: 12 V, 3 A, IP44.")
    (tmp_path / "told.md").write_text("---\nlanguage: nl\n---\nX-200: 12 V, 3 A.")
    (tmp_path / "plain.md").write_text("You can send every lamp back to us within thirty days.")
    store = MemoryPassageStore()
    german = KnowledgeSync(store, "de")
    assert (await german.sync(tmp_path, DEFAULT_WORKSPACE)).added == 3
    assert await languages(store) == {"x-200": "de", "told": "nl", "plain": "en"}
    assert (await german.sync(tmp_path, DEFAULT_WORKSPACE)).unchanged == 3
    moved = await KnowledgeSync(store, "pl").sync(tmp_path, DEFAULT_WORKSPACE)
    assert (moved.changed, moved.unchanged) == (1, 2)
    assert await languages(store) == {"x-200": "pl", "told": "nl", "plain": "en"}


async def languages(store: MemoryPassageStore) -> dict[str, str]:
    ids = sorted(await store.passage_ids(DEFAULT_WORKSPACE))
    return {one.article_id: one.language for one in await store.passages(DEFAULT_WORKSPACE, ids)}


async def test_progress_is_told(folder: Path) -> None:
    told: list[tuple[int, int]] = []
    await KnowledgeSync(MemoryPassageStore()).sync(folder, DEFAULT_WORKSPACE, lambda *step: told.append(step))
    assert told == [(0, 3), (3, 3)]


async def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SupportError, match="not a folder of articles; give the folder that") as refused:
        await KnowledgeSync(MemoryPassageStore()).sync(tmp_path / "nowhere", DEFAULT_WORKSPACE)
    assert refused.value.code == "no_such_folder"


async def indexer_on(folder: Path) -> tuple[PassageIndexer, MemoryPassageStore, ListStore]:
    store, index = MemoryPassageStore(), ListStore()
    await KnowledgeSync(store).sync(folder, DEFAULT_WORKSPACE)
    return PassageIndexer(passages=store, embedder=HashEmbedder(32), index=index), store, index


async def test_the_index_follows_the_store(folder: Path) -> None:
    indexer, store, index = await indexer_on(folder)
    first = await indexer.refresh(DEFAULT_WORKSPACE)
    assert (first.added, first.removed) == (3, 0)
    assert await index.ids(DEFAULT_WORKSPACE) == await store.passage_ids(DEFAULT_WORKSPACE)
    again = await indexer.refresh(DEFAULT_WORKSPACE)
    assert (again.added, again.removed) == (0, 0)
    (folder / "returns.md").write_text("# Returns\nNow sixty days.")
    (folder / "shipping.md").unlink()
    await KnowledgeSync(store).sync(folder, DEFAULT_WORKSPACE)
    changed = await indexer.refresh(DEFAULT_WORKSPACE)
    assert (changed.added, changed.removed) == (1, 2)
    assert await index.ids(DEFAULT_WORKSPACE) == await store.passage_ids(DEFAULT_WORKSPACE)


async def test_a_pass_that_was_cut_off_is_taken_up(folder: Path) -> None:
    for n in range(40):
        (folder / f"more{n}.md").write_text(f"# More {n}\nAbout lamp number {n} in our shop.")
    indexer, store, index = await indexer_on(folder)

    def stop(done: int, _total: int) -> None:
        if done >= 32:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await indexer.refresh(DEFAULT_WORKSPACE, stop)
    assert len(await index.ids(DEFAULT_WORKSPACE)) == 32
    assert (await indexer.refresh(DEFAULT_WORKSPACE)).added == 11
    assert await index.ids(DEFAULT_WORKSPACE) == await store.passage_ids(DEFAULT_WORKSPACE)


async def test_two_passes_at_once_do_the_work_once(folder: Path) -> None:
    indexer, _, _ = await indexer_on(folder)
    one, other = await asyncio.gather(indexer.refresh(DEFAULT_WORKSPACE), indexer.refresh(DEFAULT_WORKSPACE))
    assert sorted((one.added, other.added)) == [0, 3]


class Counting:
    """The embedder, with how often each text was asked for."""

    def __init__(self) -> None:
        self.inner, self.texts = HashEmbedder(32), Counter[str]()
        self.version, self.dimensions = self.inner.version, self.inner.dimensions

    async def embed(self, texts: Sequence[str]) -> Vector:
        self.texts.update(texts)
        return await self.inner.embed(texts)


async def test_a_title_is_embedded_once_for_the_index_and_for_the_topics(folder: Path, tmp_path: Path) -> None:
    embedder, store, kept = Counting(), MemoryPassageStore(), tmp_path / "titles.npz"
    await KnowledgeSync(store).sync(folder, DEFAULT_WORKSPACE)
    titles = TitleVectors(embedder, kept)
    await PassageIndexer(passages=store, embedder=embedder, index=ListStore(), titles=titles).refresh(DEFAULT_WORKSPACE)
    wanted = ["Returns", "Shipping", "Warranty"]
    vectors = await titles.of(wanted)
    assert [embedder.texts[title] for title in wanted] == [1, 1, 1]
    assert np.allclose(vectors, await embedder.inner.embed(wanted))
    again = Counting()
    assert np.allclose(await TitleVectors(again, kept).of(wanted), vectors, atol=1e-3)  # kept in half precision
    assert not again.texts
