"""The shelf of topics: `current` is of the index's present state, whatever a message had begun to make."""

import asyncio
from collections.abc import Sequence

from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.domain.knowledge import Article
from support_agents.knowledge.chunking import passages_of
from support_agents.knowledge.title_vectors import TitleVectors
from support_agents.knowledge.topic_shelf import TopicShelf
from support_agents.ports import ChunkedArticle, Vector
from support_agents.testing.knowledge import HashEmbedder, ListStore, MemoryPassageStore


class _Slow(HashEmbedder):
    """An embedder that answers when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.may = asyncio.Event(), asyncio.Event()

    async def embed(self, texts: Sequence[str]) -> Vector:
        self.asked.set()
        await self.may.wait()
        return await super().embed(texts)


async def test_what_a_message_began_before_the_index_changed_is_not_current() -> None:
    passages, index, embedder = MemoryPassageStore(), ListStore(), _Slow()
    shelf = TopicShelf(passages, index, TitleVectors(embedder))

    async def write(name: str) -> None:
        article = Article(id=name, title=name.title(), body=f"About {name}.", content_hash=name)
        chunked = ChunkedArticle(article, passages_of(article, DEFAULT_WORKSPACE))
        await passages.replace_articles(DEFAULT_WORKSPACE, [chunked])
        await index.upsert(chunked.passages, await HashEmbedder().embed([one.text for one in chunked.passages]))

    await write("returns")
    assert shelf.at_hand(DEFAULT_WORKSPACE) is None
    await embedder.asked.wait()
    await write("shipping")
    current = asyncio.create_task(shelf.current(DEFAULT_WORKSPACE))
    embedder.may.set()
    assert (await current).version == index.version
