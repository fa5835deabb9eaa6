"""Questions that nothing answered, grouped by what they ask."""

import numpy as np
import pytest

from support_agents.knowledge.gaps import Gap, Question, Why, gaps, is_rewritten
from support_agents.testing.knowledge import HashEmbedder

EMBEDDER = HashEmbedder(256)
VOUCHERS = ("Where do I redeem a gift voucher?", "redeem gift voucher where", "How to redeem my gift voucher code?")
ENGRAVING = ("Do you engrave knives with initials?", "engrave knives initials please")
ALONE = "Is the shop in Ghent open on Sunday?"


def question(text: str, why: Why = Why.NOTHING_FOUND) -> Question:
    return Question(text=f"Hello. {text}", ask=text, intent="unknown", language="en", why=why)


async def grouped(*questions: Question, least: int = 2) -> tuple[Gap, ...]:
    return gaps(questions, await EMBEDDER.embed([one.ask for one in questions]), least=least)


async def test_what_asks_the_same_stands_together_largest_first() -> None:
    mixed = (*ENGRAVING, ALONE, *VOUCHERS)
    first, second = await grouped(*map(question, mixed))
    assert set(first.examples) == {f"Hello. {text}" for text in VOUCHERS}
    assert (first.questions, second.questions) == (3, 2)
    assert first.title in {"Where do I redeem a gift voucher?", "Redeem gift voucher where"}
    assert [gap.questions for gap in await grouped(*map(question, mixed), least=1)] == [3, 2, 1]
    assert [gap.questions for gap in await grouped(*map(question, mixed), least=3)] == [3]


async def test_no_question_stands_in_two_groups_and_examples_are_not_repeated() -> None:
    same = [question(VOUCHERS[0]) for _ in range(9)]
    (only,) = await grouped(*same, question(ALONE))
    assert only.questions == 9
    assert only.examples == (f"Hello. {VOUCHERS[0]}",)


async def test_why_and_what_about_are_counted() -> None:
    (gap,) = await grouped(question(VOUCHERS[0]), question(VOUCHERS[1], Why.REWRITTEN), question(VOUCHERS[2]))
    assert gap.why == {Why.NOTHING_FOUND: 2, Why.REWRITTEN: 1}
    assert gap.intents == {"unknown": 3}
    assert gap.languages == {"en": 3}


async def test_a_long_ask_is_cut_between_words_for_the_title() -> None:
    long = "I would like to know " + "whether the very large lamp " * 6
    (gap,) = await grouped(question(long), question(long))
    assert len(gap.title) <= 82
    assert gap.title.endswith(" …")
    assert long.startswith(gap.title.removesuffix(" …"))


def test_nothing_asked_is_no_gap() -> None:
    assert gaps((), np.empty((0, 4), dtype=np.float32), least=1) == ()


@pytest.mark.parametrize(
    ("left", "rewritten"),
    [
        ("Your parcel left our warehouse on Monday and arrives on Thursday.", False),
        ("Hi Ann, your parcel left our warehouse on Monday and arrives on Friday.", False),
        ("We are sorry: the lamp is out of stock, so nothing was sent.", True),
        ("", True),
    ],
)
def test_a_reply_of_other_words_is_a_rewritten_one(left: str, *, rewritten: bool) -> None:
    assert is_rewritten("Your parcel left our warehouse on Monday and arrives on Thursday.", left) is rewritten


def test_an_empty_proposal_cannot_be_rewritten() -> None:
    assert not is_rewritten("", "Anything.")
