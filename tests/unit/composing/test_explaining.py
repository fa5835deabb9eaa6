"""What a reply accounts for: words of its questions and sentences, facts of the case; never a second ask or a place."""

import pytest

from support_agents.composing.binding import bind
from support_agents.composing.choosing import case_of
from support_agents.composing.circumstances import Circumstances
from support_agents.composing.explaining import Explained, Told, Vocabulary, forms
from support_agents.domain.macro import Macro, MacroCase, MacroSentence, When
from support_agents.intents.asks import read
from support_agents.wording.filler import filler_of
from tests.fixtures.drafting import COSTS, RETURNS, TODAY, passage

QUESTIONS = (
    "Can I return it?",
    "Will you take it back?",
    "How long may I keep it before returning?",
    "Is it too late?",
)


def macro(identifier: str, sentence: str, questions: tuple[str, ...] = QUESTIONS) -> Macro:
    said = MacroSentence(text=sentence, articles=("help",))
    case = MacroCase(name="general", when=When(), sentences=(said,))
    return Macro(
        id=identifier, language="en", intents=("return_request",), questions=questions, cases=(case,), version="1"
    )


RETURNING = macro("returning", "You can return an item within 30 days of delivery.")
PAYING = macro(
    "paying",
    "A return label costs €3.95 only if you are not a Gold member.",
    ("Who pays for the label?", "What does a label cost?", "Is the label free?", "Do Gold members pay for labels?"),
)
BOUND = bind([RETURNING, PAYING], [passage(RETURNS).passage, passage(COSTS).passage])
VOCABULARY = Vocabulary.of(BOUND.macros, filler_of("en"))


def explained(text: str, *given: str) -> Explained:
    case = Circumstances.of("", order=None, facts=(), actions=(), attached=False, today=TODAY)
    chosen = BOUND.macros[0]
    found = case_of(chosen, case, {})
    assert found is not None
    asks = tuple(span.text for span in read(text, "en").spans)
    return VOCABULARY.explained(Told(text, "en", asks), [(chosen, found)], given)


def test_nothing_is_left_of_a_message_that_asks_just_this() -> None:
    found = explained("Hello, can I still return the item? Thanks!")
    assert found.enough
    assert dict(found.left) == {}


def test_a_story_around_the_ask_need_not_be_accounted_for() -> None:
    assert explained("Hi, my husband thought about it all week and now we really want to return it.").enough


def test_words_of_another_macro_weigh_what_they_are_rare() -> None:
    found = explained("Can I return it, and does a Gold member pay for the label?")
    assert not found.enough
    assert {"label", "gold"} <= found.left.keys()


def test_a_place_nobody_speaks_of_weighs_fully() -> None:
    plain, named = explained("can I return it from basel?"), explained("can I return it from Basel?")
    assert named.left["basel"] == pytest.approx(1.0)
    assert plain.left["basel"] < named.left["basel"]
    assert "basel" not in explained("Can I return it from Basel?", "Basel").left


def test_an_ask_of_which_nothing_is_taken_up_is_silent() -> None:
    assert explained("Can I return it? And until when are you there?").silent
    assert not explained("Can I return it? May I keep it 30 days before returning?").silent


def test_order_numbers_are_no_words() -> None:
    assert explained("Can I return HW-10423?").left == {}


def test_forms_agree_by_their_beginnings() -> None:
    assert forms("returned") == forms("returning") == forms("returns")


def test_what_is_told_beside_an_ask_that_speaks_for_itself_weighs_less() -> None:
    story = "Mountain weather forced our caravan southwards."
    assert explained(f"{story} Can I return the item?").enough
    assert not explained(f"{story} Do it?").enough
    assert explained(f"{story} Can I return the item?").message < explained(f"{story} Do it?").message


def test_a_word_that_decides_a_rule_weighs_the_same_everywhere() -> None:
    found = explained("It came with a scratch. The caravan left. Can I return the item?").left
    assert found["scrat"] > found["carav"]


def test_a_reason_that_follows_the_ask_is_no_part_of_it() -> None:
    assert explained("Can I return the item, because our caravan left southwards?").ask == 0


def test_a_question_that_points_back_is_not_silent() -> None:
    assert not explained("I want to return the item. What happens now?").silent
