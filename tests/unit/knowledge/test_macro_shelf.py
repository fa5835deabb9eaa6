"""The shelf of macros: bound once for a state of the index, anew after a change, and by one task for all who wait."""

import asyncio

from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.domain.knowledge import Article
from support_agents.domain.macro import Macro, MacroCase, MacroSentence, When
from support_agents.knowledge.chunking import passages_of
from support_agents.knowledge.macro_shelf import MacroShelf
from support_agents.ports import ChunkedArticle
from support_agents.testing.knowledge import HashEmbedder, ListStore, MemoryPassageStore

SAID = "You can return an item within 30 days of delivery."
MACRO = Macro(
    id="returning",
    language="en",
    intents=("return_request",),
    questions=("Can I return it?", "Will you take it back?", "May I send it back?", "How do returns work?"),
    cases=(MacroCase(name="general", when=When(), sentences=(MacroSentence(text=SAID, articles=("returns",)),)),),
    version="1",
)


class _Shop:
    """A store and an index that change together."""

    def __init__(self) -> None:
        self.passages, self.index = MemoryPassageStore(), ListStore()
        self.shelf = MacroShelf((MACRO,), self.passages, self.index, HashEmbedder())

    async def write(self, body: str) -> None:
        article = Article(id="returns", title="Returns", body=body, content_hash=body)
        chunked = ChunkedArticle(article, passages_of(article, DEFAULT_WORKSPACE))
        await self.passages.replace_articles(DEFAULT_WORKSPACE, [chunked])
        await self.index.delete(DEFAULT_WORKSPACE, list(await self.index.ids(DEFAULT_WORKSPACE)))
        vectors = await HashEmbedder().embed([one.text for one in chunked.passages])
        await self.index.upsert(chunked.passages, vectors)


async def test_macros_are_bound_once_for_a_state_of_the_index() -> None:
    shop = _Shop()
    await shop.write(SAID)
    first = await shop.shelf.current(DEFAULT_WORKSPACE)
    assert [one.macro.id for one in first.by_language["en"].macros] == ["returning"]
    assert first.refused == ()
    assert await shop.shelf.current(DEFAULT_WORKSPACE) is first


async def test_a_change_of_what_no_macro_rests_on_binds_nothing_anew() -> None:
    shop = _Shop()
    await shop.write(SAID)
    first = await shop.shelf.current(DEFAULT_WORKSPACE)
    other = Article(id="gifts", title="Gifts", body="We wrap gifts.", content_hash="g")
    passages = passages_of(other, DEFAULT_WORKSPACE)
    await shop.passages.replace_articles(DEFAULT_WORKSPACE, [ChunkedArticle(other, passages)])
    await shop.index.upsert(passages, await HashEmbedder().embed([one.text for one in passages]))
    after = await shop.shelf.current(DEFAULT_WORKSPACE)
    assert after.index_version == shop.index.version != first.index_version
    assert after.by_language is first.by_language


async def test_an_article_that_no_longer_says_it_withdraws_the_case() -> None:
    shop = _Shop()
    await shop.write(SAID)
    await shop.shelf.current(DEFAULT_WORKSPACE)
    await shop.write("You can return an item within 14 days of delivery.")
    after = await shop.shelf.current(DEFAULT_WORKSPACE)
    assert [str(one).startswith("returning, case general: ") for one in after.refused] == [True]
    assert after.by_language["en"].macros[0].cases == ()


async def test_all_who_wait_get_the_same_work_and_giving_up_does_not_stop_it() -> None:
    shop = _Shop()
    await shop.write(SAID)
    impatient = asyncio.create_task(shop.shelf.current(DEFAULT_WORKSPACE))
    await asyncio.sleep(0)
    impatient.cancel()
    one, other = await asyncio.gather(shop.shelf.current(DEFAULT_WORKSPACE), shop.shelf.current(DEFAULT_WORKSPACE))
    assert one is other


async def test_settled_waits_for_the_index_that_changed_while_a_message_had_them_bound() -> None:
    shop = _Shop()
    await shop.write(SAID)
    message = asyncio.create_task(shop.shelf.current(DEFAULT_WORKSPACE))
    await asyncio.sleep(0)
    await shop.write("You can return an item within 14 days of delivery.")
    settled = await shop.shelf.settled(DEFAULT_WORKSPACE)
    assert (await message).index_version != shop.index.version
    assert settled.index_version == shop.index.version
    assert len(settled.refused) == 1
