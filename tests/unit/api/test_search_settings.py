"""The second embedder by setting: what is refused, and that its index and the built-in one's never mix."""

from pathlib import Path

import numpy as np
import pytest

from api import settings
from api.cli.checks.content import search_model
from api.engines import search_embedder
from api.searching import BuiltIn, searching_of
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.domain.knowledge import Article
from support_agents.knowledge.chunking import passages_of
from support_agents.knowledge.indexing import PassageIndexer
from support_agents.ports import ChunkedArticle
from support_agents.testing.knowledge import HashEmbedder, MemoryPassageStore
from tests.fixtures.tiny_encoder import written

PREFIXES = {"search_query_prefix": "query:", "search_passage_prefix": "passage: "}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"search_query_prefix": "query: "}, "SUPPORT_SEARCH_MODEL is needed"),
        ({"search_pooling": "cls"}, "SUPPORT_SEARCH_MODEL is needed"),
        ({"search_tokenizer": "/models/tokenizer.json"}, "SUPPORT_SEARCH_MODEL is needed"),
        ({"search_model": "/models/e5", "search_pooling": "max"}, "SEARCH_POOLING.*'mean' or 'cls'"),
        ({"search_model": "/models/e5", "search_max_tokens": 4}, "SEARCH_MAX_TOKENS"),
    ],
)
def test_what_has_no_effect_or_no_meaning_is_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(SupportError, match=said):
        settings.load(given)


def test_a_space_that_a_file_of_variables_lost_is_put_back() -> None:
    found = settings.load({"search_model": "/models/e5", **PREFIXES})
    assert (found.search_query_prefix, found.search_passage_prefix) == ("query: ", "passage: ")
    assert settings.load({"search_model": "", "search_tokenizer": ""}).search_model is None


async def test_doctor_names_the_second_embedder_or_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    (without,) = await search_model(settings.load({}))
    assert without.absent
    (found,) = await search_model(settings.load({"search_model": written(tmp_path / "tiny"), **PREFIXES}))
    assert found.ok
    assert "tiny." in found.detail
    assert "24 dimensions, prefixes `query: `, `passage: `" in found.detail
    with pytest.raises(SupportError, match=r"nowhere/model\.onnx|nowhere cannot be read"):
        await search_model(settings.load({"search_model": tmp_path / "nowhere"}))


async def test_another_embedder_gets_an_index_of_its_own_and_going_back_too(tmp_path: Path) -> None:
    store, usual = MemoryPassageStore(), HashEmbedder()
    article = Article(id="a", title="Returns", body="Bring it back to us within days.", content_hash="x")
    passages = passages_of(article, DEFAULT_WORKSPACE)
    await store.replace_articles(DEFAULT_WORKSPACE, [ChunkedArticle(article, passages)])
    second = settings.load({"data_dir": tmp_path, "search_model": written(tmp_path / "tiny"), **PREFIXES})
    for given, apart in ((settings.load({"data_dir": tmp_path}), False), (second, True), (second, True)):
        searching = searching_of(given, BuiltIn(usual, usual, usual), store, room=4)
        again = given is second and (tmp_path / "again").exists()
        assert bool(await searching.store.ids(DEFAULT_WORKSPACE)) is again, "vectors of another embedder are no use"
        indexer = PassageIndexer(
            passages=store, embedder=searching.passages, index=searching.store, titles=searching.topics.titles
        )
        await indexer.refresh(DEFAULT_WORKSPACE)
        await searching.topics.current(DEFAULT_WORKSPACE)
        asked = (await searching.questions.embed(["bring it back"]))[0]
        assert len(asked) == (24 if apart else usual.dimensions)
        (found,) = await searching.store.search(DEFAULT_WORKSPACE, "bring it back", asked, limit=3)
        assert found.passage == passages[0]
        assert (searching.apart is not None) is apart
        message = await searching.message.embed(["bring it back"])
        assert np.allclose(message, await usual.embed(["bring it back"])), "what is learnt stays the built-in one's"
        for step in searching.closing:
            await step()
        if apart:
            (tmp_path / "again").touch()


def test_the_embedder_is_that_of_the_settings(tmp_path: Path) -> None:
    assert search_embedder(settings.load({})) is None
    found = search_embedder(settings.load({"search_model": written(tmp_path), "search_max_tokens": 32}))
    assert found is not None
    found.close()
    assert found.version.endswith(".mean.32")
