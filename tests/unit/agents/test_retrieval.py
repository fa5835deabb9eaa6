import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from support_agents.agents.retrieval import FLOOR, LIMIT, MOST_INTERNAL, RetrievalAgent, RetrievalGiven
from support_agents.domain.budget import Budget
from support_agents.domain.deadline import Deadline
from support_agents.domain.ids import DEFAULT_WORKSPACE, PassageId, RunId, WorkspaceId, new_id
from support_agents.domain.intent import Ask, IntentScore
from support_agents.domain.knowledge import Audience, Passage, RetrievedPassage
from support_agents.domain.runs import Run
from support_agents.domain.sections import RetrievalSection
from support_agents.ports import Vector
from support_agents.testing.knowledge import HashEmbedder, ListStore

EMBEDDER = HashEmbedder()
OTHER = WorkspaceId(uuid.uuid4())


def passage(text: str, *, title: str = "", language: str = "en", audience: Audience = Audience.PUBLIC) -> Passage:
    return Passage(
        id=PassageId(uuid.uuid5(DEFAULT_WORKSPACE, text + language + audience)),
        workspace=DEFAULT_WORKSPACE,
        article_id=title or text[:12],
        title=title,
        text=text,
        audience=audience,
        language=language,
        content_hash="x",
    )


async def agent_on(*passages: Passage) -> RetrievalAgent:
    store = ListStore()
    await store.upsert(passages, await EMBEDDER.embed([p.text for p in passages]))
    return RetrievalAgent(store, EMBEDDER)


async def ask(
    agent: RetrievalAgent, query: str, *, language: str = "en", asks: Sequence[str] = (), seconds: float = 60
) -> RetrievalSection:
    given = RetrievalGiven(
        workspace=DEFAULT_WORKSPACE,
        query=query,
        vector=(await EMBEDDER.embed([query]))[0],
        language=language,
        asks=tuple(
            Ask(text=text, start=0, end=len(text), intent=IntentScore(name="unknown", probability=0)) for text in asks
        ),
    )
    run = Run(RunId(new_id()), WorkspaceId(DEFAULT_WORKSPACE), Deadline(time.monotonic() + seconds), Budget())
    return await agent.work(given, run)


RETURNS = passage("Return a lamp within thirty days.", title="Returns")
SHIPPING = passage("Parcels travel two working days.", title="Shipping")


async def test_the_relevant_passage_is_found_with_what_the_record_needs() -> None:
    agent = await agent_on(RETURNS, SHIPPING)
    section = await ask(agent, "return a lamp")
    assert [r.passage for r in section.passages] == [RETURNS]
    assert section.floor == agent.floor
    assert section.index_version == agent.store.version
    assert section.query == "return a lamp"


async def test_nothing_relevant_is_an_answer() -> None:
    section = await ask(await agent_on(RETURNS, SHIPPING), "weather tomorrow morning")
    assert section.passages == ()
    assert (await ask(await agent_on(), "return a lamp")).passages == ()


async def test_the_customers_language_comes_first() -> None:
    german = passage("Lampe Garantie zwei Jahre, Garantie für jede Lampe.", language="de")
    english = passage("Lampe Garantie", title="Lampe Garantie", language="en")
    section = await ask(await agent_on(english, german), "Lampe Garantie", language="de")
    assert [r.passage.language for r in section.passages] == ["de", "en"]


async def test_in_another_language_words_must_agree_too() -> None:
    vague = passage("Ganz andere Wörter stehen hier", language="de")
    agent = await agent_on(vague)
    vector = (await EMBEDDER.embed([vague.text]))[0]
    given = RetrievalGiven(
        workspace=DEFAULT_WORKSPACE, query="Lieferzeit Paket", vector=vector * 0.8, language="de", asks=()
    )
    run = Run(RunId(new_id()), DEFAULT_WORKSPACE, Deadline(time.monotonic() + 9), Budget())
    assert (await agent.work(given, run)).passages == ()


async def test_near_duplicates_collapse_but_never_a_public_one_for_an_internal_one() -> None:
    twin = passage("Return a lamp within thirty days!", title="Returns again")
    internal = passage("return a lamp within thirty days", audience=Audience.INTERNAL)
    found = (await ask(await agent_on(RETURNS, twin, internal), "return a lamp within thirty days")).passages
    assert sum(r.passage.audience is Audience.PUBLIC for r in found) == 1
    public_only = (await ask(await agent_on(RETURNS, twin), "return a lamp within thirty days")).passages
    assert len(public_only) == 1


async def test_few_internal_passages_and_never_more_than_the_limit() -> None:
    words = ["red", "blue", "green", "brass", "oak", "paper", "glass", "steel", "linen", "stone", "cork", "wool"]
    public = [passage(f"Return a lamp {word} {word}one {word}two {word}six") for word in words]
    internal = [passage(f"Return a lamp {word}ish {word}er {word}by", audience=Audience.INTERNAL) for word in words]
    found = (await ask(await agent_on(*public, *internal), "return a lamp")).passages
    assert len(found) == LIMIT
    assert sum(r.passage.audience is Audience.INTERNAL for r in found) <= MOST_INTERNAL


async def test_each_of_several_asks_has_its_best_passage_in_front() -> None:
    fillers = [passage(f"Return a lamp {word} {word}a {word}b") for word in ("red", "blue", "green", "oak")]
    agent = await agent_on(RETURNS, SHIPPING, *fillers)
    query = "I want to return a lamp. And when do parcels travel?"
    section = await ask(agent, query, asks=["I want to return a lamp.", "And when do parcels travel?"])
    assert {r.passage.title for r in section.passages[:2]} >= {"Shipping"}


async def test_without_time_only_the_message_is_searched_for() -> None:
    agent = await agent_on(RETURNS, SHIPPING)
    section = await ask(agent, "return a lamp", asks=["return a lamp", "parcels travel working days"], seconds=0.01)
    assert [r.passage.title for r in section.passages] == ["Returns"]


@pytest.mark.parametrize("query", ["", "?", "the"])
async def test_an_empty_message_finds_nothing(query: str) -> None:
    assert (await ask(await agent_on(RETURNS, SHIPPING), query)).passages == ()


async def test_a_hint_brings_what_an_answer_would_say_and_nothing_internal() -> None:
    secret = passage("Return a lamp only with a manager.", title="Secret", audience=Audience.INTERNAL)
    agent = await agent_on(RETURNS, SHIPPING, secret)
    hint = "Return a lamp within thirty days."
    given = RetrievalGiven(
        workspace=DEFAULT_WORKSPACE,
        query="hmm",
        vector=(await EMBEDDER.embed(["hmm"]))[0],
        language="en",
        hints=(hint,),
    )
    run = Run(RunId(new_id()), WorkspaceId(DEFAULT_WORKSPACE), Deadline(time.monotonic() + 60), Budget())
    section = await agent.work(given, run)
    assert [found.passage for found in section.passages] == [RETURNS]
    assert (await agent.work(given.model_copy(update={"language": "de"}), run)).passages == ()


async def test_hints_are_embedded_once() -> None:
    agent = await agent_on(RETURNS)
    await agent.learn(["a", "b"], EMBEDDER)
    await agent.learn(["b"], EMBEDDER)
    assert sorted(agent._hint_vectors) == ["a", "b"]


async def test_a_hint_is_searched_for_once_for_each_state_of_the_index(monkeypatch: pytest.MonkeyPatch) -> None:
    agent, searched, hint = await agent_on(RETURNS), [], "Return a lamp within thirty days."
    search = agent.store.search

    async def counted(*given: Any, **how: Any) -> tuple[RetrievedPassage, ...]:
        searched.append(given[1])
        return await search(*given, **how)

    monkeypatch.setattr(agent.store, "search", counted)
    vector = (await EMBEDDER.embed([hint]))[0]
    once = await agent._searched(DEFAULT_WORKSPACE, hint, vector)
    assert await agent._searched(DEFAULT_WORKSPACE, hint, vector) == once
    assert searched == [hint]
    await agent.store.upsert([SHIPPING], await EMBEDDER.embed([SHIPPING.text]))
    assert len(await agent._searched(DEFAULT_WORKSPACE, hint, vector)) == len(once) + 1
    assert searched == [hint, hint]
    await agent._searched(OTHER, hint, vector)
    assert searched == [hint, hint, hint]


async def test_articles_past_their_day_are_marked_and_stay() -> None:
    fresh, old = (
        RETURNS.model_copy(update={"verified_until": day, "id": PassageId(new_id()), "text": f"{RETURNS.text} {day}"})
        for day in (date(2026, 5, 2), date(2026, 5, 1))
    )
    agent = await agent_on(fresh, old, SHIPPING)
    query = "Can I return a lamp within thirty days?"
    given = RetrievalGiven(
        workspace=DEFAULT_WORKSPACE,
        query=query,
        vector=(await EMBEDDER.embed([query]))[0],
        language="en",
        today=date(2026, 5, 2),
    )
    run = Run(RunId(new_id()), WorkspaceId(DEFAULT_WORKSPACE), Deadline(time.monotonic() + 60), Budget())
    section = await agent.work(given, run)
    assert {one.passage.id: one.stale for one in section.passages if one.passage.id != SHIPPING.id} == {
        fresh.id: False,
        old.id: True,
    }


async def test_what_does_not_seem_to_answer_is_set_aside_and_on_record() -> None:
    near = passage("We recommend a campsite: Utrecht.", title="Campsites")
    agent = await agent_on(near, passage("Utrecht sharpens knives, Sundays.", title="Stores"))
    section = await ask(agent, "Recommend campsite Utrecht")
    assert [one.passage.title for one in section.passages] == ["Campsites"]
    assert section.passages[0].addresses is not None
    assert section.set_aside == ("Stores",)
    lowered = await ask(replace(agent, floor=FLOOR - 0.1), "Recommend campsite Utrecht")
    assert {one.passage.title for one in lowered.passages} == {"Campsites", "Stores"}
    assert lowered.set_aside == ()


async def test_another_embedder_searches_by_its_own_vectors_and_wants_no_word_to_agree() -> None:
    german = passage("bring back a lamp", title="Rückgabe", language="de")
    store = ListStore()
    await store.upsert([german, SHIPPING], await EMBEDDER.embed(["bring back a lamp", SHIPPING.text]))

    class Translating:
        """`Embedder` that knows what a French message means."""

        version, dimensions = "translating", EMBEDDER.dimensions

        async def embed(self, texts: Sequence[str]) -> Vector:
            return await EMBEDDER.embed([text.replace("rapporter lampadaire", "bring back a lamp") for text in texts])

    usual, other = RetrievalAgent(store, EMBEDDER), RetrievalAgent(store, EMBEDDER, searching=Translating())
    query = "rapporter lampadaire"
    assert (await ask(usual, query, language="fr")).passages == ()
    assert [r.passage for r in (await ask(other, query, language="fr")).passages] == [german]
    both = "rapporter lampadaire. rapporter lampadaire"
    section = await ask(other, "parcels", language="fr", asks=[query, both])
    assert german in [r.passage for r in section.passages]
