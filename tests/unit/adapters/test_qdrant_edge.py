import os
import subprocess
import sys
import textwrap
from pathlib import Path
from random import Random

import numpy as np
import pytest

from support_agents.adapters import qdrant_edge
from support_agents.adapters.held_index import HELD_MOST, HeldIndex
from support_agents.adapters.qdrant_edge import QdrantEdgeStore
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, PassageId, WorkspaceId, new_id
from support_agents.domain.knowledge import Audience, Passage
from support_agents.testing.knowledge import HashEmbedder

EMBEDDER = HashEmbedder(64)


def opened(folder: Path, version: str = EMBEDDER.version, hold: int = HELD_MOST) -> QdrantEdgeStore:
    return QdrantEdgeStore(folder, embedder_version=version, dimensions=EMBEDDER.dimensions, hold=hold)


def passage_of(text: str) -> Passage:
    return Passage(
        id=PassageId(new_id()),
        workspace=DEFAULT_WORKSPACE,
        article_id="returns",
        title="Returns",
        text=text,
        audience=Audience.PUBLIC,
        language="en",
        content_hash="1",
    )


async def filled(folder: Path) -> PassageId:
    store, passage = opened(folder), passage_of("You can return an item within 30 days.")
    await store.upsert([passage], await EMBEDDER.embed([passage.text]))
    store.close()
    return passage.id


async def test_reopening_finds_what_was_stored(tmp_path: Path) -> None:
    assert opened_is_fresh(tmp_path)
    kept = await filled(tmp_path)
    store = opened(tmp_path)
    assert not store.needs_rebuild
    assert await store.ids(DEFAULT_WORKSPACE) == {kept}
    store.close()


@pytest.mark.parametrize("hold", [0, 1, 2])
async def test_what_is_held_and_what_the_engine_says_are_alike_when_reopened(tmp_path: Path, hold: int) -> None:
    texts = ["You can return an item within 30 days.", "Parcels are shipped within two working days."]
    passages, vectors = [passage_of(text) for text in texts], await EMBEDDER.embed(texts)
    ids, asked = [passage.id for passage in passages], vectors[0] * 0.6 + vectors[1] * 0.8
    store = opened(tmp_path, hold=hold)
    await store.upsert(passages, vectors)
    before = await store.compare(DEFAULT_WORKSPACE, asked, ids)
    store.close()
    store = opened(tmp_path, hold=hold)
    assert await store.compare(DEFAULT_WORKSPACE, asked, ids) == pytest.approx(before, abs=1e-6)
    cosines = vectors @ asked / np.linalg.norm(asked)
    assert [before[one] for one in ids] == pytest.approx(cosines.tolist(), abs=1e-6)
    await store.delete(DEFAULT_WORKSPACE, ids[:1])
    assert [*await store.compare(DEFAULT_WORKSPACE, asked, ids)] == ids[1:]
    store.close()


def opened_is_fresh(folder: Path) -> bool:
    store = opened(folder)
    store.close()
    return store.needs_rebuild


async def test_a_second_opener_is_told_what_to_do(tmp_path: Path) -> None:
    store = opened(tmp_path)
    with pytest.raises(SupportError, match="stop it first") as refused:
        opened(tmp_path)
    assert refused.value.code == "index_in_use"
    store.close()
    opened(tmp_path).close()


async def test_another_embedder_starts_empty(tmp_path: Path) -> None:
    await filled(tmp_path)
    store = opened(tmp_path, version="newer")
    assert store.needs_rebuild
    assert await store.ids(DEFAULT_WORKSPACE) == frozenset()
    store.close()


@pytest.mark.parametrize("victims", ["vector_storage", "segment.json", "payload", "edge_config", "identity"])
async def test_a_damaged_folder_starts_empty(tmp_path: Path, victims: str) -> None:
    await filled(tmp_path)
    for path in sorted(tmp_path.rglob("*")):  # noqa: ASYNC240 - nothing else runs
        if path.is_file() and victims in path.as_posix():
            path.write_bytes(b"damaged")
    store = opened(tmp_path)
    ids = await store.ids(DEFAULT_WORKSPACE)
    assert store.needs_rebuild == (not ids)
    vector = (await EMBEDDER.embed(["return"]))[0]
    assert len(await store.search(DEFAULT_WORKSPACE, "return", vector, limit=5)) <= 1
    store.close()


async def test_closing_twice_is_harmless_and_a_closed_store_says_so(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.close()
    store.close()
    with pytest.raises(SupportError, match="closed"):
        await store.search(DEFAULT_WORKSPACE, "x", (await EMBEDDER.embed(["x"]))[0], limit=1)


async def test_a_killed_process_leaves_a_folder_that_opens(tmp_path: Path) -> None:
    script = """
        import asyncio, os, signal, sys
        from pathlib import Path
        sys.path.insert(0, sys.argv[2])
        from support_agents.adapters.qdrant_edge import QdrantEdgeStore
        from support_agents.domain.ids import DEFAULT_WORKSPACE, new_id
        from support_agents.domain.knowledge import Passage
        from support_agents.testing.knowledge import HashEmbedder

        async def main():
            embedder = HashEmbedder(64)
            store = QdrantEdgeStore(Path(sys.argv[1]), embedder_version=embedder.version, dimensions=64)
            for n in range(20):
                passages = [Passage(id=new_id(), workspace=DEFAULT_WORKSPACE, article_id="a", title="T", text=f"t {n}",
                                    audience="public", language="en", content_hash="1") for _ in range(10)]
                await store.upsert(passages, await embedder.embed([p.text for p in passages]))
            os.kill(os.getpid(), signal.SIGKILL)

        asyncio.run(main())
    """
    root = Path(__file__).parents[3]
    ended = subprocess.run(  # noqa: ASYNC221 - the test waits for its own script
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path), str(root)], check=False
    )
    assert ended.returncode == -9
    store = opened(tmp_path)
    ids = await store.ids(DEFAULT_WORKSPACE)
    assert len(ids) == 200 or store.needs_rebuild or len(ids) % 10 == 0
    vector = (await EMBEDDER.embed(["t"]))[0]
    await store.search(DEFAULT_WORKSPACE, "t 3", vector, limit=5)
    store.close()


async def test_what_was_read_is_read_again_once_it_is_replaced_or_gone(tmp_path: Path) -> None:
    store, vector = opened(tmp_path), (await EMBEDDER.embed(["return an item"]))[0]
    first = passage_of("Return an item within 30 days.")
    for wanted in (first, first.model_copy(update={"title": "Sending back"})):
        await store.upsert([wanted], vector[None, :])
        for _ in range(2):
            found = await store.search(DEFAULT_WORKSPACE, "return an item", vector, limit=3)
            assert [one.passage for one in found] == [wanted]
    await store.delete(DEFAULT_WORKSPACE, [first.id])
    assert await store.search(DEFAULT_WORKSPACE, "return an item", vector, limit=3) == ()
    store.close()


async def test_few_passages_are_kept_as_they_were_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("support_agents.adapters.qdrant_edge._READ_MOST", 2)
    store, vector = opened(tmp_path), (await EMBEDDER.embed(["return an item"]))[0]
    passages = [passage_of(f"Return an item within {days} days.") for days in range(5)]
    await store.upsert(passages, np.repeat(vector[None, :], len(passages), axis=0))
    for limit in (1, 2, 1, 2):
        assert len(await store.search(DEFAULT_WORKSPACE, "return an item", vector, limit=limit)) == limit
        assert len(store._read) <= 2
    store.close()


WORDS = "return item days parcel shipped invoice refund label voucher size colour broken".split()  # noqa: SIM905 - as prose
GONE, PUT_AGAIN = slice(3, 30, 4), slice(40, 60, 3)


def written(rng: Random) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randint(1, 12)))


@pytest.mark.parametrize("candidates", [50, 1_000])
async def test_a_search_in_memory_finds_what_the_engine_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, candidates: int
) -> None:
    """Also after deleting, replacing, another workspace's passages and a start anew; ties may fall either way."""
    monkeypatch.setattr(qdrant_edge, "CANDIDATES", candidates)
    rng = Random(candidates)  # noqa: S311 - the same passages every time
    other = WorkspaceId(new_id())
    passages = [passage_of(written(rng)) for _ in range(80)]
    theirs = [one.model_copy(update={"id": PassageId(new_id()), "workspace": other}) for one in passages[:20]]
    vectors = np.asarray(np.random.default_rng(candidates).normal(size=(80, 64)), dtype=np.float32)
    folders = {hold: tmp_path / str(hold) for hold in (0, HELD_MOST)}
    stores = {hold: opened(folder, hold=hold) for hold, folder in folders.items()}
    for store in stores.values():
        await store.upsert(passages, vectors)
        await store.upsert(theirs, vectors[:20])
        await store.delete(DEFAULT_WORKSPACE, [one.id for one in passages[GONE]])
        again = [one.model_copy(update={"text": f"voucher {one.text}"}) for one in passages[PUT_AGAIN]]
        await store.upsert(again, vectors[PUT_AGAIN] * 3)
        await store.upsert(passages[GONE][:3], vectors[GONE][:3])
    asked = [(written(rng), vectors[rng.randrange(80)] + vectors[rng.randrange(80)]) for _ in range(20)]
    for _ in range(2):
        for workspace in (DEFAULT_WORKSPACE, other):
            for query, vector in [*asked, ("", vectors[0])]:
                # Down to what no tie at the last of the candidates reaches.
                engine, held = [
                    await stores[hold].search(workspace, query, vector, limit=max(10, candidates // 20))
                    for hold in (0, HELD_MOST)
                ]
                assert len(engine) == len(held) > 0
                assert [one.score for one in held] == pytest.approx([one.score for one in engine], abs=1e-5)
                assert [one.similarity for one in held] == pytest.approx([one.similarity for one in engine], abs=1e-5)
                assert {one.passage.workspace for one in held} == {workspace}
        for hold, store in stores.items():
            store.close()
            stores[hold] = opened(folders[hold], hold=hold)
    for store in stores.values():
        store.close()


def test_one_too_many_and_nothing_is_held_any_more() -> None:
    held, ids = HeldIndex(room=2), [PassageId(new_id()) for _ in range(3)]
    vectors, numbers = np.eye(3, dtype=np.float32), [one.int for one in ids]
    for at in (0, 1, 1):
        held.put(DEFAULT_WORKSPACE, ids[at], vectors[at], {7: 1.0})
    assert held.cosines(DEFAULT_WORKSPACE, vectors[1], numbers) == {numbers[0]: 0.0, numbers[1]: 1.0}
    assert held.cosines(WorkspaceId(new_id()), vectors[1], numbers) == {}
    held.put(DEFAULT_WORKSPACE, ids[2], vectors[2], {7: 1.0})
    assert held.cosines(DEFAULT_WORKSPACE, vectors[1], numbers) is None
    assert not held.holds
    assert HeldIndex(3, room=2).cosines(DEFAULT_WORKSPACE, vectors[1], numbers) is None


async def test_a_small_index_is_searched_without_the_engine(tmp_path: Path) -> None:
    """But for the words of a passage that has not been read yet."""
    store, vector = opened(tmp_path), (await EMBEDDER.embed(["return an item"]))[0]
    await store.upsert([passage_of("Return an item within 30 days.")], vector[None, :])
    first = await store.search(DEFAULT_WORKSPACE, "return an item", vector, limit=3)
    store._shard.close()
    assert await store.search(DEFAULT_WORKSPACE, "return an item", vector, limit=3) == first != ()
    os.close(store._lock)
