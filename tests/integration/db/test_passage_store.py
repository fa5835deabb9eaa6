"""Articles and passages as the knowledge base keeps them, on both databases."""

from datetime import date, timedelta

import pytest

from db.engine import Database
from db.passage_store import SqlPassageStore
from support_agents.domain.events import EventName
from support_agents.domain.ids import DEFAULT_WORKSPACE, PassageId, new_id
from support_agents.domain.knowledge import Article, Audience, Passage
from support_agents.ports import ChunkedArticle


def chunked(article_id: str, *texts: str, audience: Audience = Audience.PUBLIC) -> ChunkedArticle:
    article = Article(
        id=article_id, title="Returns", body="…", audience=audience, updated=date(2026, 1, 2), content_hash="h" * 64
    )
    passages = tuple(
        Passage(
            id=PassageId(new_id()),
            workspace=DEFAULT_WORKSPACE,
            article_id=article_id,
            title="Returns",
            heading="How",
            text=text,
            audience=audience,
            language="en",
            content_hash=text,
        )
        for text in texts
    )
    return ChunkedArticle(article, passages)


@pytest.fixture
def store(database: Database) -> SqlPassageStore:
    return SqlPassageStore(database)


async def told(database: Database) -> list[EventName]:
    async with database.write("claim") as uow:
        return [event.name for event in await uow.outbox.claim(limit=10, lease=timedelta(minutes=1))]


async def test_what_is_stored_comes_back(database: Database, store: SqlPassageStore) -> None:
    two = chunked("returns", "one", "two", audience=Audience.INTERNAL)
    await store.replace_articles(DEFAULT_WORKSPACE, [two, chunked("empty")])

    assert await store.article_hashes(DEFAULT_WORKSPACE) == {"returns": "h" * 64, "empty": "h" * 64}
    ids = await store.passage_ids(DEFAULT_WORKSPACE)
    found = await store.passages(DEFAULT_WORKSPACE, [*ids, PassageId(new_id())])
    assert {passage.id: passage for passage in found} == {passage.id: passage for passage in two.passages}
    assert await told(database) == [EventName.KNOWLEDGE_CHANGED]


async def test_replacing_leaves_nothing_of_the_old(database: Database, store: SqlPassageStore) -> None:
    await store.replace_articles(DEFAULT_WORKSPACE, [chunked("returns", "one", "two")])
    new = chunked("returns", "three")
    await store.replace_articles(DEFAULT_WORKSPACE, [new])
    assert await store.passage_ids(DEFAULT_WORKSPACE) == {new.passages[0].id}
    assert len(await told(database)) == 2


async def test_deleting_takes_the_passages_along(store: SqlPassageStore) -> None:
    await store.replace_articles(DEFAULT_WORKSPACE, [chunked("a", "one"), chunked("b", "two")])
    await store.delete_articles(DEFAULT_WORKSPACE, ["a", "unknown"])
    assert set(await store.article_hashes(DEFAULT_WORKSPACE)) == {"b"}
    assert len(await store.passage_ids(DEFAULT_WORKSPACE)) == 1
