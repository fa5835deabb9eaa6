"""What every passage index promises, asked of the real ones and the fake.

The server's adapter is asked on the client's local engine, once directly and once over HTTP, and on a server where
SUPPORT_TEST_QDRANT_URL names one.
"""

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from qdrant_client import AsyncQdrantClient

from support_agents.adapters.held_index import HELD_MOST
from support_agents.adapters.qdrant_edge import QdrantEdgeStore
from support_agents.adapters.qdrant_server import QdrantServerStore, client_of
from support_agents.domain.ids import DEFAULT_WORKSPACE, PassageId, WorkspaceId, new_id
from support_agents.domain.knowledge import Audience, Passage, RetrievedPassage
from support_agents.ports import VectorStore
from support_agents.testing.knowledge import HashEmbedder, ListStore
from tests.peers.qdrant_server import QdrantPeer
from tests.peers.serving import serving

EMBEDDER = HashEmbedder(64)
OTHER = WorkspaceId(new_id())
TEXTS = {
    "returns": "You can return an item within 30 days.",
    "shipping": "Parcels are shipped within two working days.",
    "error": "Error LegacyInvite means that an invitation was never accepted.",
    "password": "Choose a new password on the sign-in page.",
}


SERVER = os.environ.get("SUPPORT_TEST_QDRANT_URL", "")
NO_SERVER = pytest.mark.skipif(not SERVER, reason="SUPPORT_TEST_QDRANT_URL names no server")


@pytest.fixture(params=["edge", "large edge", "fake", "local", "wire", pytest.param("server", marks=NO_SERVER)])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[VectorStore]:
    match request.param:
        case "fake":
            yield ListStore()
        case "edge" | "large edge" as size:
            edge = QdrantEdgeStore(
                tmp_path,
                embedder_version=EMBEDDER.version,
                dimensions=EMBEDDER.dimensions,
                hold=0 if size == "large edge" else HELD_MOST,
            )
            yield edge
            edge.close()
        case "local":
            async with served(AsyncQdrantClient(":memory:")) as local:
                yield local
        case "wire":
            async with serving(QdrantPeer()) as peer, served(client_of(peer.base_url, "a key")) as wired:
                yield wired
        case _:
            async with served(client_of(SERVER, None)) as real:
                yield real


@asynccontextmanager
async def served(client: AsyncQdrantClient) -> AsyncIterator[QdrantServerStore]:
    """The adapter under a name of its own, so that nothing of another run is in the way; what it made goes."""
    store = QdrantServerStore(client, f"test-{new_id()}", EMBEDDER.dimensions)
    yield store
    made = store.version.split(".")[1]
    for one in (await client.get_collections()).collections:
        if made in one.name:
            await client.delete_collection(one.name)
    await store.close()


def passage(name: str, text: str, workspace: WorkspaceId = DEFAULT_WORKSPACE) -> Passage:
    return Passage(
        id=PassageId(uuid.uuid5(workspace, name + text)),
        workspace=workspace,
        article_id=name,
        title=name.capitalize(),
        text=text,
        audience=Audience.PUBLIC,
        language="en",
        content_hash=name,
    )


async def fill(store: VectorStore, workspace: WorkspaceId = DEFAULT_WORKSPACE) -> dict[str, Passage]:
    passages = {name: passage(name, text, workspace) for name, text in TEXTS.items()}
    await store.begin(workspace)
    await store.upsert(list(passages.values()), await EMBEDDER.embed([p.text for p in passages.values()]))
    await store.publish(workspace)
    return passages


async def search(
    store: VectorStore, query: str, workspace: WorkspaceId = DEFAULT_WORKSPACE, limit: int = 10
) -> tuple[RetrievedPassage, ...]:
    return await store.search(workspace, query, (await EMBEDDER.embed([query]))[0], limit=limit)


async def test_the_nearest_comes_first_with_its_whole_passage(store: VectorStore) -> None:
    passages = await fill(store)
    found = await search(store, "return an item")
    assert found[0].passage == passages["returns"]
    assert [r.score for r in found] == sorted((r.score for r in found), reverse=True)
    assert all(-1 <= r.similarity <= 1 for r in found)


async def test_a_rare_word_lifts_its_passage_whatever_the_vector_says(store: VectorStore) -> None:
    await fill(store)
    unrelated = (await EMBEDDER.embed(["zebra quagga okapi"]))[0]
    without = {r.passage.article_id: r for r in await store.search(DEFAULT_WORKSPACE, "", unrelated, limit=9)}
    with_word = {
        r.passage.article_id: r for r in await store.search(DEFAULT_WORKSPACE, "legacyInvite?", unrelated, limit=9)
    }
    assert with_word["error"].score > without["error"].score + 0.05
    assert with_word["error"].similarity == pytest.approx(without["error"].similarity, abs=1e-4)
    assert with_word["shipping"].score == pytest.approx(without["shipping"].score, abs=1e-4)


async def test_similarity_is_the_cosine_of_the_query(store: VectorStore) -> None:
    await fill(store)
    found = await search(store, TEXTS["password"])
    assert found[0].similarity == pytest.approx(1.0, abs=1e-3)


async def test_named_passages_are_compared_and_unknown_ones_left_out(store: VectorStore) -> None:
    passages = await fill(store)
    await fill(store, OTHER)
    vector = (await EMBEDDER.embed([TEXTS["password"]]))[0]
    asked = [passages["password"].id, passages["returns"].id, PassageId(new_id())]
    compared = await store.compare(DEFAULT_WORKSPACE, vector, asked)
    assert set(compared) == set(asked[:2])
    assert compared[passages["password"].id] == pytest.approx(1.0, abs=1e-3)
    by_search = {r.passage.id: r.similarity for r in await search(store, TEXTS["password"])}
    assert compared[passages["returns"].id] == pytest.approx(by_search[passages["returns"].id], abs=1e-4)
    assert await store.compare(OTHER, vector, asked) == {}
    assert await store.compare(DEFAULT_WORKSPACE, vector, []) == {}


async def test_limit_is_kept(store: VectorStore) -> None:
    await fill(store)
    assert len(await search(store, "item", limit=2)) == 2


async def test_a_workspace_never_sees_another_one(store: VectorStore) -> None:
    await fill(store)
    assert await search(store, "return an item", OTHER) == ()
    theirs = await fill(store, OTHER)
    found = await search(store, "return an item", OTHER)
    assert {r.passage.workspace for r in found} == {OTHER}
    await store.delete(DEFAULT_WORKSPACE, [p.id for p in theirs.values()])
    assert await store.ids(OTHER) == {p.id for p in theirs.values()}


async def test_deleted_passages_are_not_found_and_unknown_ids_are_ignored(store: VectorStore) -> None:
    passages = await fill(store)
    await store.delete(DEFAULT_WORKSPACE, [passages["returns"].id, PassageId(new_id())])
    assert passages["returns"].id not in await store.ids(DEFAULT_WORKSPACE)
    assert passages["returns"].id not in {r.passage.id for r in await search(store, "return an item")}


async def test_upserting_again_replaces(store: VectorStore) -> None:
    passages = await fill(store)
    newer = passages["returns"].model_copy(update={"title": "Sending back"})
    await store.upsert([newer], await EMBEDDER.embed([newer.text]))
    assert len(await store.ids(DEFAULT_WORKSPACE)) == len(TEXTS)
    assert (await search(store, "return an item"))[0].passage.title == "Sending back"


async def test_ids_and_version_follow_the_content(store: VectorStore) -> None:
    empty = store.version
    passages = await fill(store)
    full = store.version
    assert await store.ids(DEFAULT_WORKSPACE) == {p.id for p in passages.values()}
    await store.delete(DEFAULT_WORKSPACE, [passages["returns"].id])
    assert len({empty, full, store.version}) == 3
    await store.upsert([passages["returns"]], await EMBEDDER.embed([passages["returns"].text]))
    assert store.version == full


@pytest.mark.parametrize("query", ["", "   ", "the and of", "?!", "\x00", "🙂", "a" * 5_000])
async def test_odd_queries_are_answered(store: VectorStore, query: str) -> None:
    await fill(store)
    assert len(await search(store, query)) <= len(TEXTS)


async def test_an_empty_store_finds_nothing(store: VectorStore) -> None:
    assert await search(store, "return an item") == ()
    await store.upsert([], await EMBEDDER.embed([]))
    await store.delete(DEFAULT_WORKSPACE, [])


async def test_building_anew_leaves_what_is_searched_whole(store: VectorStore) -> None:
    passages = await fill(store)
    await store.begin(DEFAULT_WORKSPACE)
    assert await store.ids(DEFAULT_WORKSPACE) == {p.id for p in passages.values()}
    fresh = [passage(name, f"{text} Really.") for name, text in TEXTS.items()]
    await store.upsert(fresh, await EMBEDDER.embed([p.text for p in fresh]))
    assert passages["returns"].id in {r.passage.id for r in await search(store, "return an item")}
    held = await store.begin(DEFAULT_WORKSPACE)
    assert {p.id for p in fresh} <= held
    await store.delete(DEFAULT_WORKSPACE, sorted(held - {p.id for p in fresh}))
    await store.publish(DEFAULT_WORKSPACE)
    assert await store.ids(DEFAULT_WORKSPACE) == {p.id for p in fresh}
    assert {r.passage.id for r in await search(store, "return an item")} == {p.id for p in fresh}
