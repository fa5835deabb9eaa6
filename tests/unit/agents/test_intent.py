from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic

import numpy as np

from support_agents.agents.intent import IntentAgent, IntentGiven
from support_agents.domain.budget import Budget
from support_agents.domain.deadline import Deadline
from support_agents.domain.ids import DEFAULT_WORKSPACE, RunId, new_id
from support_agents.domain.intent import UNKNOWN, EntityKind
from support_agents.domain.runs import Run
from support_agents.domain.sections import IntentSection
from support_agents.ports import Vector
from support_agents.testing.clock import FixedClock
from support_agents.testing.intent import KeywordIntentModel

MODEL = KeywordIntentModel(
    {
        "order_status": ("where is", "parcel"),
        "change_address": ("address",),
        "refund_request": ("refund",),
        "thanks": ("thank",),
    }
)


@dataclass(frozen=True)
class CountingEmbedder:
    """An `Embedder` of zeros that keeps what it was asked."""

    batches: list[tuple[str, ...]] = field(default_factory=list)
    version: str = "zeros"
    dimensions: int = 4

    async def embed(self, texts: Sequence[str]) -> Vector:
        self.batches.append(tuple(texts))
        return np.zeros((len(texts), self.dimensions), dtype=np.float32)


async def understood(
    text: str, *, embedder: CountingEmbedder | None = None, subject: str = "", previous: tuple[str, ...] = ()
) -> IntentSection:
    agent = IntentAgent(MODEL, FixedClock(), embedder)
    given = IntentGiven(text, "en", np.zeros(4, dtype=np.float32), subject=subject, previous=previous)
    run = Run(RunId(new_id()), DEFAULT_WORKSPACE, Deadline(monotonic() + 60), Budget())
    return await agent.work(given, run)


async def test_one_ask_is_answered_without_another_embedding() -> None:
    embedder = CountingEmbedder()
    section = await understood("Where is my order HW-10423?", embedder=embedder)
    assert section.top.name == "order_status"
    assert [(ask.text, ask.intent.name) for ask in section.asks] == [("Where is my order HW-10423?", "order_status")]
    assert [(one.kind, one.value) for one in section.entities] == [(EntityKind.ORDER_ID, "HW-10423")]
    assert section.model_version == "keywords"
    assert embedder.batches == []


async def test_several_asks_take_one_batch_and_each_has_its_intent() -> None:
    embedder = CountingEmbedder()
    section = await understood("Where is my parcel, and can I change the address?", embedder=embedder)
    assert [ask.intent.name for ask in section.asks] == ["order_status", "change_address"]
    assert embedder.batches == [("Where is my parcel", "can I change the address?")]


async def test_without_an_embedder_the_message_s_vector_serves_its_clauses() -> None:
    section = await understood("Where is my parcel? Can I change the address?")
    assert [ask.intent.name for ask in section.asks] == ["order_status", "change_address"]


async def test_what_nobody_knows_is_unknown_and_comes_first() -> None:
    section = await understood("Who won the match?")
    assert section.top.name == UNKNOWN
    assert len(section.intents) == 5
    assert [ask.intent.name for ask in section.asks] == [UNKNOWN]


async def test_a_bare_number_means_what_was_asked_before() -> None:
    embedder = CountingEmbedder()
    section = await understood("HW-10423", embedder=embedder, previous=("Hi", "Where is my parcel?"))
    assert section.top.name == "order_status"
    assert [ask.intent.name for ask in section.asks] == ["order_status"]
    assert embedder.batches == [("Where is my parcel?",)]


async def test_a_short_message_is_read_with_its_subject() -> None:
    section = await understood("See above.", subject="Refund for my lamp")
    assert section.top.name == "refund_request"


async def test_a_long_unknown_message_borrows_nothing() -> None:
    section = await understood(
        "I write to you because of the garden of my neighbour who sings at night", subject="refund"
    )
    assert section.top.name == UNKNOWN


async def test_thanks_ask_for_nothing() -> None:
    section = await understood("Thank you so much!")
    assert section.asks == ()
    assert section.top.name == "thanks"


async def test_an_unclear_message_is_understood_by_its_one_ask() -> None:
    embedder = CountingEmbedder()
    text = "The boots have been standing in the hall since they came. What is the way to get a refund?"
    section = await understood(text, embedder=embedder)
    assert section.top.name == "refund_request"
    assert embedder.batches == []


async def test_a_closer_look_is_one_batch_of_the_ask_alone() -> None:
    embedder = CountingEmbedder()
    await understood("The boots have been in the hall. They are tight. Could you do something?", embedder=embedder)
    assert embedder.batches == [("Could you do something?",)]


async def test_two_intents_are_ranked_and_each_keeps_its_place() -> None:
    text = "Refund HW-10423 and change the address of HW-10424."
    section = await understood(text, embedder=CountingEmbedder())
    assert {score.name for score in section.intents[:2]} == {"refund_request", "change_address"}
    assert [score.name for score in section.intents].count("change_address") == 1
    assert [(text[ask.start : ask.end], ask.intent.name) for ask in section.asks] == [
        ("Refund HW-10423", "refund_request"),
        ("change the address of HW-10424.", "change_address"),
    ]


async def test_a_call_for_attention_does_not_hide_what_was_asked_before_it() -> None:
    for between in ("Hello?", "Thanks!", "any news?"):
        section = await understood("HW-10423", embedder=CountingEmbedder(), previous=("Where is my parcel?", between))
        assert section.top.name == "order_status", between


async def test_of_two_questions_before_the_newer_one_counts_and_a_third_is_forgotten() -> None:
    said = ("Where is my parcel?", "I want a refund for the lamp", "It came broken on Monday")
    assert (await understood("HW-10423", embedder=CountingEmbedder(), previous=said[:2])).top.name == "refund_request"
    forgotten = ("Where is my parcel?", "Hello?", "Thanks!")
    assert (await understood("HW-10423", embedder=CountingEmbedder(), previous=forgotten)).top.name != "order_status"
