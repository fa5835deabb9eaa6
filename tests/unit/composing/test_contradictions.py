"""Conditions of a reply that the message says to be broken, and those it says to be kept."""

import pytest

from support_agents.composing.binding import bind
from support_agents.composing.contradictions import contradicted, without_met
from support_agents.domain.macro import Macro, MacroCase, MacroSentence, When
from tests.fixtures.drafting import passage

TEXT = "The item must be unused and in its original packaging, with its labels still attached."
SAID = MacroSentence(text=TEXT, articles=("help",))
FREE = MacroSentence(text="A return is free of charge.", articles=("help",))


def macro(identifier: str, said: MacroSentence) -> Macro:
    case = MacroCase(name="general", when=When(), sentences=(said,))
    return Macro(id=identifier, language="en", intents=(), questions=("?",), cases=(case,), version="1")


BOUND = bind([macro("strict", SAID), macro("free", FREE)], [passage(f"{TEXT} {FREE.text}").passage]).macros
STRICT, LENIENT = ([(one, one.cases[0])] for one in BOUND)


@pytest.mark.parametrize(
    "text",
    [
        "I've washed it twice. Can I return it?",
        "I have cooked with it several times.",
        "I threw the box away, can it go back?",
        "I cut off the labels.",
        "Ich habe sie schon getragen.",
    ],
)
def test_a_broken_condition_contradicts_a_reply_that_states_it(text: str) -> None:
    assert contradicted(text, STRICT)
    assert not contradicted(text, LENIENT)


@pytest.mark.parametrize(
    "text",
    [
        "I haven't worn it outside.",
        "It was never used, not even washed.",
        "I still have the box.",
        "I tried it on once.",
    ],
)
def test_a_kept_condition_does_not(text: str) -> None:
    assert not contradicted(text, STRICT)


def test_what_was_left_undone_is_taken_out() -> None:
    assert "worn" not in without_met("I haven't worn it outside")
    assert "worn" in without_met("I have worn it outside")
