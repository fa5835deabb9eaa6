"""Another embedder's cosines mean what the limits take them for: the scale, and the index that tells by it."""

import asyncio
import uuid
from collections.abc import Sequence

import numpy as np
import pytest

from support_agents.domain.ids import DEFAULT_WORKSPACE, PassageId
from support_agents.domain.knowledge import Article, Audience, Passage
from support_agents.knowledge.ahead import AheadEmbedder, LeadingEmbedder
from support_agents.knowledge.scale import REFERENCE, RELATED, SAME, UNRELATED, fitted
from support_agents.knowledge.scaled_index import ScaledStore
from support_agents.ports import ChunkedArticle, Vector
from support_agents.testing.knowledge import HashEmbedder, ListStore, MemoryPassageStore

TITLES = ("Returns of lamps", "Parcels abroad", "Gift cards", "Opening hours", "Broken glass", "Invoices")


class Narrow:
    """`Embedder` of which everything is alike: cosines of `HashEmbedder` between 0.8 and 1; it counts what it reads."""

    def __init__(self) -> None:
        self.wide = HashEmbedder()
        self.version, self.dimensions = "narrow", self.wide.dimensions + 1
        self.read: list[str] = []
        self.failing = False

    async def embed(self, texts: Sequence[str]) -> Vector:
        if self.failing:
            raise OSError("gone")
        self.read += texts
        rows = await self.wide.embed(texts)
        common = np.full((len(rows), 1), 0.8**0.5)
        return np.asarray(np.hstack([common, 0.2**0.5 * rows]), dtype=np.float32)


def passage(title: str, text: str) -> Passage:
    return Passage(
        id=PassageId(uuid.uuid5(DEFAULT_WORKSPACE, title + text)),
        workspace=DEFAULT_WORKSPACE,
        article_id=title,
        title=title,
        text=f"{title}. {text}",
        audience=Audience.PUBLIC,
        language="en",
        content_hash="x",
    )


async def shop(embedder: Narrow | HashEmbedder, *titles: str) -> tuple[ListStore, MemoryPassageStore]:
    held = [passage(title, f"{title} are about {title} and {at}one {at}two.") for at, title in enumerate(titles)]
    index, store = ListStore(), MemoryPassageStore()
    articles = [
        ChunkedArticle(Article(id=one.title, title=one.title, body=one.text, content_hash="x"), (one,)) for one in held
    ]
    await store.replace_articles(DEFAULT_WORKSPACE, articles)
    await index.upsert(held, await embedder.embed([one.text for one in held]))
    return index, store


def test_what_is_as_rare_for_both_models_is_as_like() -> None:
    unrelated, related = np.linspace(0.70, 0.84, 500), np.linspace(0.86, 0.95, 200)
    scale = fitted(unrelated.tolist(), related.tolist())
    knots = [*np.quantile(unrelated, UNRELATED), *np.quantile(related, RELATED)]
    assert [scale.one(float(knot)) for knot in knots] == pytest.approx(REFERENCE, abs=0.02)
    assert (scale.one(1.0), scale.one(-1.0)) == (1.0, -1.0)


@pytest.mark.parametrize("related", [[0.9, 0.95], [0.1, 0.2], [0.8]])
def test_nearer_stays_nearer_even_where_a_model_knows_no_difference(related: list[float]) -> None:
    told = fitted([0.8, 0.8, 0.8], related)(np.linspace(-1, 1, 401, dtype=np.float32))
    assert (np.diff(told) >= 0).all()
    assert np.abs(told).max() <= 1


def test_without_pairs_nothing_is_changed() -> None:
    assert fitted([], [0.5]) == fitted([0.5], []) == SAME
    assert SAME.one(0.37) == pytest.approx(0.37)


async def test_an_index_of_another_embedder_tells_cosines_on_the_usual_scale() -> None:
    narrow = Narrow()
    index, store = await shop(narrow, *TITLES)
    scaled = ScaledStore(index, store, narrow)
    (vector,) = await narrow.embed(["Gift cards"])
    raw = await index.search(DEFAULT_WORKSPACE, "Gift cards", vector, limit=9)
    found = await scaled.search(DEFAULT_WORKSPACE, "Gift cards", vector, limit=9)
    assert min(one.similarity for one in raw) > 0.75
    assert found[0].passage.title == "Gift cards"
    assert found[0].similarity > 0.6
    assert max(one.similarity for one in found[1:]) < 0.5
    compared = await scaled.compare(DEFAULT_WORKSPACE, vector, [found[0].passage.id])
    assert compared[found[0].passage.id] == pytest.approx(found[0].similarity)
    assert len(await scaled.search(DEFAULT_WORKSPACE, "Gift cards", vector, limit=2)) == 2


async def test_words_weigh_against_sense_on_the_usual_scale() -> None:
    narrow = Narrow()
    index, store = await shop(narrow, *TITLES)
    scaled = ScaledStore(index, store, narrow)
    (vector,) = await narrow.embed(["Gift cards"])
    found = await scaled.search(DEFAULT_WORKSPACE, "Gift cards parcels abroad", vector, limit=9)
    by_words = next(one for one in found if one.passage.title == "Parcels abroad")
    assert by_words.score == pytest.approx(0.9 * by_words.similarity + 0.1, abs=0.06)


@pytest.mark.parametrize("titles", [TITLES[:1], ()])
async def test_one_article_or_none_is_enough_to_search(titles: tuple[str, ...]) -> None:
    narrow = Narrow()
    index, store = await shop(narrow, *titles)
    scaled = ScaledStore(index, store, narrow)
    (vector,) = await narrow.embed([TITLES[0]])
    found = await scaled.search(DEFAULT_WORKSPACE, TITLES[0], vector, limit=3)
    assert [one.passage.title for one in found] == [*titles]
    assert all(one.similarity > 0.6 for one in found)


async def test_a_search_waits_for_the_first_scale_only() -> None:
    narrow = Narrow()
    index, store = await shop(narrow, *TITLES)
    scaled = ScaledStore(index, store, narrow)
    first = await scaled.scale(DEFAULT_WORKSPACE)
    (wool,) = await narrow.embed(["wool"])
    read = len(narrow.read)
    more = passage("Wool care", "Wool care is about wool.")
    article = Article(id=more.title, title=more.title, body=more.text, content_hash="x")
    await store.replace_articles(DEFAULT_WORKSPACE, [ChunkedArticle(article, (more,))])
    await index.upsert([more], await narrow.embed([more.text]))
    await scaled.search(DEFAULT_WORKSPACE, "wool", wool, limit=3)
    assert narrow.read[read + 1 :] == []
    assert await scaled.scale(DEFAULT_WORKSPACE) != first
    assert narrow.read[read + 1 :] == ["Wool care"]


async def test_a_message_is_read_once_by_each_of_two_embedders() -> None:
    own, other = Narrow(), Narrow()
    ahead = AheadEmbedder(other, 4)
    leading = LeadingEmbedder(own, ahead)
    await leading.embed(["Where is it?"])
    await asyncio.gather(ahead.embed(["Where is it?"]), ahead.embed(["Where is it?", "And this?"]))
    assert own.read == ["Where is it?"]
    assert sorted(other.read) == ["And this?", "Where is it?"]
    assert (leading.version, leading.dimensions) == (ahead.version, ahead.dimensions) == ("narrow", own.dimensions)
    assert (await ahead.embed([])).shape == (0, own.dimensions)


async def test_what_failed_ahead_is_tried_again_and_old_texts_make_room() -> None:
    other = Narrow()
    ahead = AheadEmbedder(other, 2)
    other.failing = True
    with pytest.raises(OSError, match="gone"):
        await ahead.embed(["a lamp"])
    other.failing = False
    for text in ("a lamp", "b", "c", "a lamp"):
        await ahead.embed([text])
    assert other.read == ["a lamp", "b", "c", "a lamp"]
