"""What only the server's index promises: versions beside each other, and faults that say what to do."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from qdrant_client import AsyncQdrantClient

from support_agents.adapters.qdrant_server import QdrantServerStore, client_of
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, PassageId, WorkspaceId, new_id
from support_agents.domain.knowledge import Article
from support_agents.knowledge.chunking import passages_of
from support_agents.knowledge.indexing import BATCH, PassageIndexer
from support_agents.ports import ChunkedArticle, Vector
from support_agents.testing.knowledge import HashEmbedder, MemoryPassageStore
from tests.peers.qdrant_server import QdrantPeer
from tests.peers.serving import serving

EMBEDDER = HashEmbedder(64)
MANY = 3 * BATCH


class Stumbling:
    """The embedder, which fails once after so many batches."""

    def __init__(self, batches: int) -> None:
        self.left, self.texts = batches, 0
        self.version, self.dimensions = EMBEDDER.version, EMBEDDER.dimensions

    async def embed(self, texts: Sequence[str]) -> Vector:
        self.left -= 1
        if self.left == 0:
            raise SupportError("stumbled", "as asked")
        self.texts += len(texts)
        return await EMBEDDER.embed(texts)


@pytest.fixture
async def client() -> AsyncIterator[AsyncQdrantClient]:
    local = AsyncQdrantClient(":memory:")
    yield local
    await local.close()


def opened(client: AsyncQdrantClient, version: str = "one") -> QdrantServerStore:
    return QdrantServerStore(client, version, EMBEDDER.dimensions)


async def stored(passages: MemoryPassageStore, wording: str) -> frozenset[PassageId]:
    articles = [
        Article(id=str(n), title=f"Article {n}", body=f"About thing {n}, {wording}.", content_hash=f"{n}{wording}")
        for n in range(MANY)
    ]
    await passages.replace_articles(
        DEFAULT_WORKSPACE, [ChunkedArticle(article, passages_of(article, DEFAULT_WORKSPACE)) for article in articles]
    )
    return await passages.passage_ids(DEFAULT_WORKSPACE)


async def shown(store: QdrantServerStore) -> set[PassageId]:
    vector = (await EMBEDDER.embed(["thing"]))[0]
    return {one.passage.id for one in await store.search(DEFAULT_WORKSPACE, "thing", vector, limit=MANY)}


async def test_a_build_that_was_cut_off_is_never_seen_and_taken_up(client: AsyncQdrantClient) -> None:
    passages, store = MemoryPassageStore(), opened(client)
    old = await stored(passages, "as it was")
    await PassageIndexer(passages=passages, embedder=EMBEDDER, index=store).refresh(DEFAULT_WORKSPACE)
    new = await stored(passages, "as it is")
    failing = Stumbling(3)
    with pytest.raises(SupportError, match="as asked"):
        await PassageIndexer(passages=passages, embedder=failing, index=store).refresh(DEFAULT_WORKSPACE)
    restarted = opened(client)
    assert await restarted.ids(DEFAULT_WORKSPACE) == old
    assert await shown(restarted) == old
    again = Stumbling(-1)
    await PassageIndexer(passages=passages, embedder=again, index=restarted).refresh(DEFAULT_WORKSPACE)
    assert await shown(restarted) == new == await restarted.ids(DEFAULT_WORKSPACE)
    assert failing.texts > 0
    assert again.texts < failing.texts + again.texts == 2 * MANY  # passage and title each, none of them twice
    assert len((await client.get_collections()).collections) == 1


async def test_what_was_begun_goes_on_though_little_is_new_by_then(client: AsyncQdrantClient) -> None:
    passages, store = MemoryPassageStore(), opened(client)
    await stored(passages, "as it was")
    await PassageIndexer(passages=passages, embedder=EMBEDDER, index=store).refresh(DEFAULT_WORKSPACE)
    await stored(passages, "as it is")
    indexer = PassageIndexer(passages=passages, embedder=Stumbling(3), index=store)
    with pytest.raises(SupportError, match="as asked"):
        await indexer.refresh(DEFAULT_WORKSPACE)
    old = await stored(passages, "as it was")
    await indexer.refresh(DEFAULT_WORKSPACE)
    assert await shown(store) == old


async def test_an_earlier_version_of_the_product_goes_on_with_its_own(client: AsyncQdrantClient) -> None:
    passages, earlier, later = MemoryPassageStore(), opened(client, "one"), opened(client, "two")
    old = await stored(passages, "as it was")
    await PassageIndexer(passages=passages, embedder=EMBEDDER, index=earlier).refresh(DEFAULT_WORKSPACE)
    assert await shown(later) == set()
    await PassageIndexer(passages=passages, embedder=EMBEDDER, index=later).refresh(DEFAULT_WORKSPACE)
    assert await shown(earlier) == await shown(later) == old


async def test_two_processes_that_build_at_once_end_with_one_whole_collection(client: AsyncQdrantClient) -> None:
    passages, stores = MemoryPassageStore(), (opened(client), opened(client))
    wanted = await stored(passages, "as it is")
    indexers = [PassageIndexer(passages=passages, embedder=EMBEDDER, index=store) for store in stores]
    await asyncio.gather(*(indexer.refresh(DEFAULT_WORKSPACE) for indexer in indexers))
    assert await shown(stores[0]) == await shown(stores[1]) == wanted
    assert stores[0].version == stores[1].version
    assert len((await client.get_collections()).collections) == 1


async def test_another_process_s_changes_are_seen_at_the_next_look(client: AsyncQdrantClient) -> None:
    passages, writer, reader = MemoryPassageStore(), opened(client), opened(client)
    wanted = await stored(passages, "as it is")
    await PassageIndexer(passages=passages, embedder=EMBEDDER, index=writer).refresh(DEFAULT_WORKSPACE)
    assert await reader.ids(DEFAULT_WORKSPACE) == wanted
    assert reader.version == writer.version
    assert await reader.ids(WorkspaceId(new_id())) == frozenset()


@pytest.mark.parametrize("status", [401, 500, 503])
async def test_a_server_that_refuses_is_an_error_that_may_be_tried_again(status: int) -> None:
    async with serving(QdrantPeer(faults=[status])) as peer:
        client = client_of(peer.base_url, "a secret key")
        with pytest.raises(SupportError, match="SUPPORT_QDRANT_URL") as refused:
            await opened(client).ids(DEFAULT_WORKSPACE)
        await client.close()
    assert refused.value.code == "index_unreachable"
    assert refused.value.retryable
    assert "secret" not in str(refused.value)
    assert peer.keys == {"a secret key"}


async def test_no_server_is_an_error_of_the_same_kind() -> None:
    client = client_of("http://127.0.0.1:9", None)
    with pytest.raises(SupportError) as refused:
        await opened(client).ids(DEFAULT_WORKSPACE)
    await client.close()
    assert refused.value.code == "index_unreachable"
