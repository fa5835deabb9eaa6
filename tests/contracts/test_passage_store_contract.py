"""What every passage store promises, asked of the database and of the fake."""

from datetime import date

import pytest

from db.engine import Database
from db.passage_store import SqlPassageStore
from support_agents.domain.ids import DEFAULT_WORKSPACE, PassageId, new_id
from support_agents.domain.knowledge import Article
from support_agents.knowledge.chunking import passages_of
from support_agents.ports import ChunkedArticle, PassageStore
from support_agents.testing.knowledge import MemoryPassageStore


@pytest.fixture(params=["sql", "memory"])
def store(request: pytest.FixtureRequest, database: Database) -> PassageStore:
    return MemoryPassageStore() if request.param == "memory" else SqlPassageStore(database)


def chunked(article_id: str, body: str) -> ChunkedArticle:
    article = Article(id=article_id, title=article_id.title(), body=body, content_hash=body)
    return ChunkedArticle(article, passages_of(article, DEFAULT_WORKSPACE))


def ids(*articles: ChunkedArticle) -> set[PassageId]:
    return {passage.id for article in articles for passage in article.passages}


RETURNS, SHIPPING = chunked("returns", "Thirty days."), chunked("shipping", "Two days.\n\n## Costs\nFour euros.")


async def test_what_is_stored_comes_back(store: PassageStore) -> None:
    await store.replace_articles(DEFAULT_WORKSPACE, [RETURNS, SHIPPING])
    assert await store.article_hashes(DEFAULT_WORKSPACE) == {
        "returns": RETURNS.article.content_hash,
        "shipping": SHIPPING.article.content_hash,
    }
    assert await store.passage_ids(DEFAULT_WORKSPACE) == ids(RETURNS, SHIPPING)
    found = await store.passages(DEFAULT_WORKSPACE, [*ids(SHIPPING), PassageId(new_id())])
    assert sorted(found, key=str) == sorted(SHIPPING.passages, key=str)


async def test_until_when_an_article_was_verified_comes_back_with_its_passages(store: PassageStore) -> None:
    article = Article(id="fees", title="Fees", body="Four euros.", content_hash="1", verified_until=date(2026, 3, 31))
    dated = ChunkedArticle(article, passages_of(article, DEFAULT_WORKSPACE))
    await store.replace_articles(DEFAULT_WORKSPACE, [dated])
    for found in (
        await store.passages(DEFAULT_WORKSPACE, [*ids(dated)]),
        await store.passages_of(DEFAULT_WORKSPACE, ["fees"]),
    ):
        assert [passage.verified_until for passage in found] == [date(2026, 3, 31)]
    undated = article.model_copy(update={"verified_until": None})
    assert {passage.id for passage in passages_of(undated, DEFAULT_WORKSPACE)}.isdisjoint(ids(dated))


async def test_replacing_leaves_nothing_of_the_old(store: PassageStore) -> None:
    newer = chunked("returns", "Sixty days.")
    await store.replace_articles(DEFAULT_WORKSPACE, [RETURNS, SHIPPING])
    await store.replace_articles(DEFAULT_WORKSPACE, [newer])
    assert await store.passage_ids(DEFAULT_WORKSPACE) == ids(newer, SHIPPING)


async def test_deleting_takes_the_passages_along(store: PassageStore) -> None:
    await store.replace_articles(DEFAULT_WORKSPACE, [RETURNS, SHIPPING])
    await store.delete_articles(DEFAULT_WORKSPACE, ["returns", "unknown"])
    assert await store.passage_ids(DEFAULT_WORKSPACE) == ids(SHIPPING)
    assert set(await store.article_hashes(DEFAULT_WORKSPACE)) == {"shipping"}


async def test_each_writing_leads_to_a_state_that_has_not_been_before(store: PassageStore) -> None:
    empty = await store.state(DEFAULT_WORKSPACE)
    await store.replace_articles(DEFAULT_WORKSPACE, [RETURNS, SHIPPING])
    both = await store.state(DEFAULT_WORKSPACE)
    assert await store.state(DEFAULT_WORKSPACE) == both
    await store.replace_articles(DEFAULT_WORKSPACE, [chunked("returns", "Sixty days.")])
    newer = await store.state(DEFAULT_WORKSPACE)
    await store.replace_articles(DEFAULT_WORKSPACE, [RETURNS])
    again = await store.state(DEFAULT_WORKSPACE)
    await store.delete_articles(DEFAULT_WORKSPACE, ["shipping"])
    left = await store.state(DEFAULT_WORKSPACE)
    assert len({state.version for state in (empty, both, newer, again, left)}) == 5
    counted = [state.passages for state in (empty, both, newer, again, left)]
    assert counted == [0, len(ids(RETURNS, SHIPPING)), len(ids(RETURNS, SHIPPING)), len(ids(RETURNS, SHIPPING)), 1]


async def test_an_empty_store_answers(store: PassageStore) -> None:
    assert await store.article_hashes(DEFAULT_WORKSPACE) == {}
    assert await store.passage_ids(DEFAULT_WORKSPACE) == frozenset()
    assert await store.passages(DEFAULT_WORKSPACE, [PassageId(new_id())]) == ()


async def test_the_passages_of_articles_come_whole_and_only_theirs(store: PassageStore) -> None:
    await store.replace_articles(DEFAULT_WORKSPACE, [RETURNS, SHIPPING])
    found = await store.passages_of(DEFAULT_WORKSPACE, ["shipping", "unknown"])
    assert {one.id for one in found} == ids(SHIPPING)
    assert sorted(found, key=str) == sorted(SHIPPING.passages, key=str)
    assert await store.passages_of(DEFAULT_WORKSPACE, []) == ()


async def test_the_passages_of_an_article_are_those_of_its_newest_text(store: PassageStore) -> None:
    newer = chunked("returns", "Sixty days.")
    await store.replace_articles(DEFAULT_WORKSPACE, [RETURNS])
    await store.replace_articles(DEFAULT_WORKSPACE, [newer])
    assert {one.id for one in await store.passages_of(DEFAULT_WORKSPACE, ["returns"])} == ids(newer)
