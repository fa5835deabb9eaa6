"""What a rejection asks of the next draft: read from a decision's own words, and done to plans and drafters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.desk import said
from support_agents.agents.macro_drafting import MacroDraftingAgent
from support_agents.agents.protocol import StreamEnd
from support_agents.domain.approval import RejectedDraft, RejectReason
from support_agents.domain.macro import BoundSentence, ChosenMacro
from support_agents.domain.sections import OrderAnswer, PlanSection, Sentence
from support_agents.redrafting import KEPT, as_wanted, asking_first, macros_in, unwanted_macros
from tests.fixtures.drafting import a_run, drafting_given

ASKED = (RejectedDraft(reason=RejectReason.ASK_ORDER),)
LONG = (RejectedDraft(reason=RejectReason.TOO_LONG, words="half of it"),)


@given(st.sampled_from(RejectReason), st.text(max_size=900).map(str.strip))
def test_a_reason_is_read_back_as_it_was_given(reason: RejectReason, words: str) -> None:
    words = words.lstrip(": ")
    read = RejectedDraft.read(said(reason, words), "")
    assert (read.reason, read.words) == (reason, words)
    assert "\n" not in read.line


def test_any_other_text_is_another_reason() -> None:
    assert RejectedDraft.read("passed on to Returns", "").reason is RejectReason.OTHER
    assert len(RejectedDraft.read("x" * 5_000, "").words) == 1_000


@pytest.mark.parametrize(
    ("plan", "asks"),
    [
        (PlanSection(), True),
        (PlanSection(order_answer=OrderAnswer.SEVERAL), True),
        (PlanSection(order_answer=OrderAnswer.FOUND), False),
        (PlanSection(hand_off="a person is asked for"), False),
    ],
)
def test_the_order_is_asked_for_where_it_is_not_known(plan: PlanSection, asks: bool) -> None:  # noqa: FBT001
    assert asking_first(plan, ASKED).needs_order_id is asks
    assert asking_first(plan, LONG) == plan


def test_only_the_macros_of_wrong_answers_are_left_out() -> None:
    rejected = (
        RejectedDraft(reason=RejectReason.WRONG_MACRO, macros="a/x@1+b/y@2"),
        RejectedDraft(reason=RejectReason.NOT_ASKED, macros="c/z@3"),
        RejectedDraft(reason=RejectReason.WRONG_TONE, macros="d/x@1"),
        RejectedDraft(reason=RejectReason.WRONG_MACRO),
    )
    assert unwanted_macros(rejected) == {"a", "b", "c"}
    assert macros_in("") == frozenset()


async def test_a_draft_that_was_too_long_comes_shorter_with_greeting_and_closing() -> None:
    told = tuple(
        BoundSentence(text=f"Fact {at}.", citations=(), facts=("x",), spare=False, courtesy=False, paragraph=False)
        for at in range(6)
    )
    given_ = drafting_given("Where is it?").model_copy(
        update={"macros": (ChosenMacro(identity="a/x@1", sentences=told),)}
    )
    drafter = MacroDraftingAgent()
    whole = [part async for part in drafter.stream(given_, a_run())]
    short = [part async for part in as_wanted(drafter, LONG).stream(given_, a_run())]
    stated = [part.text for part in short if isinstance(part, Sentence) and not part.courtesy]
    assert stated == [one.text for one in told[:KEPT]]
    assert [p for p in short if isinstance(p, Sentence) and p.courtesy] == [
        p for p in whole if isinstance(p, Sentence) and p.courtesy
    ]
    assert isinstance(short[-1], StreamEnd)
    assert as_wanted(drafter, ASKED) is drafter
