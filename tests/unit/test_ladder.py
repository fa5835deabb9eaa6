"""The ladder: every rung is reached when the one above it fails, with the reason on record."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from support_agents.agents.protocol import StreamEnd
from support_agents.domain.errors import SupportError
from support_agents.domain.runs import Outcome, RunRecord
from support_agents.domain.sections import DraftingGiven, OrderAnswer, Rung, Sentence
from support_agents.ports import Completed, StopReason
from support_agents.testing.llm import Pause, Step
from support_agents.wording.completeness import enough
from tests.fixtures.drafting import drafting_given, order
from tests.fixtures.pipeline import Parts, a_run, ran, ticket
from tests.fixtures.still_time import StillLoop
from tests.unit.test_pipeline_outcomes import BrokenClose

pytestmark = pytest.mark.still_time

QUESTION = "Can I return an item, and within how many days of delivery?"
GREETING = "Hello Anna Müller,\n\n"
SAID = "You can return an item within 30 days of delivery [1]. The item must be unused [1]. "
CLOSING = "\n\nKind regards,\nCustomer Care"
WHOLE: tuple[Step, ...] = (GREETING, SAID, CLOSING)
# The macro's rung needs a shelf of them: see tests/integration/drafting/test_written_by_a_model.py.
HALF: tuple[Step, ...] = (GREETING, SAID, "It must also", Completed(StopReason.CUT))
DOWN: tuple[Step, ...] = (SupportError("llm_unavailable", "500", retryable=True),)


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    """What is read and compiled on first use is not what these deadlines are about."""
    ran(Parts(), ticket(QUESTION), seconds=30)


class Mute:
    """A drafter that has nothing to say."""

    async def stream(self, *_: object) -> AsyncIterator[StreamEnd]:
        yield StreamEnd(rung=Rung.EXTRACTIVE, complete=True, model="mute", prompt_version="")


@dataclass(frozen=True)
class Rungs:
    """A rung, what makes it, and how the rung above failed in the record's words."""

    outcome: Outcome
    parts: Parts
    reason: str = ""
    text: str = QUESTION


TABLE = [
    Rungs(Outcome.DRAFTED, Parts(script=WHOLE, spare=True)),
    Rungs(Outcome.SHORTENED, Parts(script=HALF, spare=True), "llm_cut"),
    Rungs(Outcome.EXTRACTIVE, Parts(script=DOWN, spare=True), "llm_unavailable"),
    Rungs(Outcome.CLARIFY, Parts(script=DOWN, spare=True, orders={}), "llm_unavailable", "Please refund my order."),
    Rungs(Outcome.EVIDENCE, Parts(script=DOWN, replaced={"spare_drafting": Mute()}), "llm_unavailable"),
    Rungs(Outcome.HANDED_OFF, Parts(script=DOWN, passages=(), replaced={"spare_drafting": Mute()}), "llm_unavailable"),
]


@pytest.mark.parametrize("rung", TABLE, ids=lambda rung: rung.outcome.value)
async def test_each_rung_is_reached_when_the_one_above_fails(rung: Rungs) -> None:
    record = await (await rung.parts.runner()).run(ticket(rung.text), a_run(5.0))
    assert record.outcome is rung.outcome, record.reason
    assert rung.reason in record.reason
    assert bool(record.reason) is (rung.outcome is not Outcome.DRAFTED)


async def test_a_stump_that_says_too_little_gives_way_to_the_quoted_draft() -> None:
    said: tuple[Step, ...] = (GREETING, "The item must be unused [1]. You", Completed(StopReason.CUT))
    record = await (await Parts(script=said, spare=True).runner()).run(ticket(QUESTION), a_run(5.0))
    assert record.outcome is Outcome.EXTRACTIVE


async def test_without_a_verdict_no_rung_with_a_draft_is_reached() -> None:
    parts = Parts(script=WHOLE, spare=True, replaced={"compliance": BrokenClose()})
    record = await (await parts.runner()).run(ticket(QUESTION), a_run(5.0))
    assert record.outcome is Outcome.EVIDENCE


def test_a_shortened_draft_is_whole_sentences_and_our_closing() -> None:
    record = ran(Parts(script=HALF), ticket(QUESTION), seconds=5)
    draft = record.sections.draft
    assert draft is not None
    assert draft.text == (
        "Hello Anna Müller,\n\nYou can return an item within 30 days of delivery. The item must be unused."
        "\n\nKind regards,\nCustomer Care"
    )
    assert all(sentence.citations or sentence.courtesy for sentence in draft.sentences)
    assert record.sections.compliance is not None
    assert len([c for c in record.sections.compliance.checks if c.name == "citation_or_fact"]) == len(draft.sentences)


def test_a_draft_cut_inside_the_closing_is_closed_once() -> None:
    script: tuple[Step, ...] = (GREETING, SAID, "\n\nKind regards,\nCust", Completed(StopReason.MAX_TOKENS))
    record = ran(Parts(script=script), ticket(QUESTION), seconds=5)
    assert record.sections.draft is not None
    assert record.sections.draft.text.count("Kind regards") == 1
    assert record.sections.draft.text.endswith("Customer Care")


def test_what_a_model_said_before_the_deadline_stands_to_its_last_whole_sentence() -> None:
    script: tuple[Step, ...] = (GREETING, SAID.rstrip(), Pause(20))
    record = ran(Parts(script=script, spare=True), ticket(QUESTION), seconds=5)
    assert record.outcome is Outcome.SHORTENED
    assert "The item must be unused." in (record.sections.draft.text if record.sections.draft else "")
    assert record.reason == "the drafter ran out of time"


def test_the_model_that_spoke_is_the_one_on_record() -> None:
    record: RunRecord = ran(Parts(script=WHOLE), ticket(QUESTION), seconds=5)
    assert record.versions["drafter"] == "scripted"


def stated(text: str, *facts: str) -> Sentence:
    return Sentence(text=text, facts=facts)


STATUS = drafting_given("Where is it?", "order_status", order=order(), order_answer=OrderAnswer.FOUND)
PLAIN = drafting_given("Where is it?", "order_status")
RETURN = drafting_given("Can I?", "return_request")


@pytest.mark.parametrize(
    ("given", "sentence", "is_enough"),
    [
        (STATUS, stated("Your order was delivered on 12 November.", "order.delivered_on"), True),
        (STATUS, stated("You can follow every parcel in your account."), False),
        (PLAIN, stated("You can follow every parcel in your account."), True),
        (STATUS, stated("Delivered.", "order.status"), False),
        (RETURN, stated("You can return an item within 30 days of delivery, unused."), False),
        (RETURN, stated("You can return an item within 30 days of delivery, as long as it is unused."), True),
        (RETURN, Sentence(text="x" * 90, courtesy=True), False),
    ],
)
def test_enough_is_a_matter_of_the_intent(given: DraftingGiven, sentence: Sentence, *, is_enough: bool) -> None:
    assert enough([sentence], given, shortest=60) is is_enough


def test_asks_that_a_cut_draft_does_not_reach_are_named_as_open() -> None:
    script: tuple[Step, ...] = (GREETING, SAID, "After", Completed(StopReason.CUT))
    record = ran(Parts(script=script), ticket(f"{QUESTION} Where is my invoice for the warranty?"), seconds=5)
    draft, intent = record.sections.draft, record.sections.intent
    assert draft is not None
    assert intent is not None
    if len(intent.asks) > 1:
        assert any("invoice" in ask for ask in draft.open_asks)


async def test_a_busy_event_loop_does_not_cost_the_sentences_that_were_said() -> None:
    """All timers of a draft go off late and together; what was said and checked before is still the draft."""
    script: tuple[Step, ...] = (GREETING, SAID, "And so on", Pause(20))
    runner = await Parts(script=script, spare=True).runner()
    loop = asyncio.get_running_loop()
    assert isinstance(loop, StillLoop)
    doing = asyncio.ensure_future(runner.run(ticket(QUESTION), a_run(3.0)))
    await asyncio.sleep(0.45)
    while not doing.done():
        loop.hold_up(0.12)  # this is the point: nothing else runs meanwhile
        await asyncio.sleep(0.001)
    record = await doing
    assert record.outcome is Outcome.SHORTENED, record.reason
