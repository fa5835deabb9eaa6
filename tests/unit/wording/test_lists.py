"""The word lists, outlines and marks: small files that much depends on."""

import pytest

from support_agents.domain.intent import Ask, IntentScore
from support_agents.wording.cues import Cue, find_cue
from support_agents.wording.marks import read_marks
from support_agents.wording.outlines import MOST_HINTS, Situation, all_lines, hints, outline
from support_agents.wording.places import places_in, speaks_of_elsewhere
from support_agents.wording.traits import Trait, has, words_of


@pytest.mark.parametrize(
    ("cue", "text", "found"),
    [
        (Cue.DANGER, "I will call my lawyer!", "lawyer"),
        (Cue.DANGER, "Where is my fire bowl?", None),
        (Cue.DANGER, "Es hat Feuer gefangen, mein Sohn ist verletzt.", "verletzt"),
        (Cue.MONEY, "I want a  refund", "refund"),
        (Cue.MONEY, "Ich möchte mein Geld zurück.", "mein geld"),
        (Cue.MONEY, "Send me a new one", None),
        (Cue.REPLACEMENT, "I would like a new one", "new one"),
        (Cue.GENERAL, "How do I return something?", "how do i"),
    ],
)
def test_a_cue_is_found_as_whole_words(cue: Cue, text: str, found: str | None) -> None:
    assert find_cue(cue, text) == found


@pytest.mark.parametrize(
    ("trait", "text", "language", "expected"),
    [
        (Trait.DANGLING_START, "This takes two days.", "en", True),
        (Trait.DANGLING_START, "- It takes two days.", "en", True),
        (Trait.DANGLING_START, "Itineraries take two days.", "en", False),
        (Trait.DANGLING_START, "Das Paket ist unterwegs.", "de", False),
        (Trait.DANGLING_START, "Das gilt nicht für Möbel.", "de", True),
        (Trait.POINTER, "Open it, see above.", "en", True),
        (Trait.THIRD_PERSON, "Customers can return it.", "en", True),
        (Trait.NEGATION, "You cannot do that.", "en", True),
        (Trait.NEGATION, "Note the number.", "en", False),
        (Trait.NEGATION, "no es posible", "es", True),
        (Trait.STRONG_CONDITION, "Only if it is new.", "en", True),
        (Trait.PROMISE, "Wir werden das Geld erstatten.", "de", True),
        (Trait.PROMISE, "anything", "xx", False),
    ],
)
def test_a_trait_is_what_its_list_says(trait: Trait, text: str, language: str, *, expected: bool) -> None:
    assert has(trait, text, language) is expected


def test_every_list_exists_in_every_language() -> None:
    for language in ("en", "de", "es", "fr"):
        for trait in Trait:
            assert isinstance(words_of(trait, "x", language), tuple)
    assert words_of(Trait.STRONG_CONDITION, "Only if new, unless used.", "en") == ("only if", "unless")


def test_marks_are_taken_out_and_read() -> None:
    marked = read_marks("It costs €3 [1, 2][order.status] and more [3]. [open.2]")
    assert (marked.text, marked.passages, marked.facts, marked.opened) == (
        "It costs €3 and more.",
        (1, 2, 3),
        ("order.status",),
        (2,),
    )


def test_what_is_no_mark_stays_in_the_text() -> None:
    assert read_marks("Press [Enter] or [x].").text == "Press [Enter] or [x]."


def ask(text: str, intent: str) -> Ask:
    return Ask(text=text, start=0, end=len(text), intent=IntentScore(name=intent, probability=0.9))


def test_outlines_load_and_fit_the_case() -> None:
    assert len(all_lines()) > 100
    shipped = [line.say for line in outline("cancel_order", "en") if line.fits(Situation(order="shipped"))]
    assert any("refuse the parcel" in line for line in shipped)
    assert not any("free of charge as long as" in line for line in shipped)


def test_hints_follow_the_message_and_stay_few() -> None:
    found = hints([ask("How much does a return cost?", "return_request")], "", "en")
    assert any("return label costs" in line for line in found)
    assert len(found) <= MOST_HINTS
    assert hints([ask("hi", "thanks")], "", "en") == ()


@pytest.mark.parametrize(
    ("sentence", "around", "asked", "elsewhere"),
    [
        ("Standard delivery costs £5.95.", "Orders to the United Kingdom", "How much is delivery to Spain?", True),
        ("Standard delivery costs £5.95.", "Orders to the United Kingdom", "and to the UK?", False),
        ("Delivery within the EU costs €4.95.", "Costs", "How much is delivery to Spain?", False),
        ("Delivery to the United Kingdom costs £5.95.", "Costs", "How much is delivery to Spain?", True),
        ("Delivery to the United Kingdom costs £5.95.", "Costs", "How much is delivery?", False),
        ("You can return an item.", "Returns", "I am in France", False),
    ],
)
def test_one_countrys_terms_are_not_told_to_another(sentence: str, around: str, asked: str, *, elsewhere: bool) -> None:
    assert speaks_of_elsewhere(sentence, around, asked) is elsewhere


def test_places_are_known_in_several_languages() -> None:
    assert places_in("nach Österreich oder España") == {"at", "es"}
