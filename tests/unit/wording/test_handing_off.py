"""A ticket that comes to a person has words for its customer, in their language where we have any."""

import pytest
import yaml

from support_agents.screening.language import detect
from support_agents.wording import handing_off
from support_agents.wording.handing_off import acknowledgement, language_name
from support_agents.wording.phrases import LANGUAGES, phrases_of

OTHERS = sorted(handing_off._read()["acknowledgements"])


def keys(tree: object, before: str = "") -> set[str]:
    if not isinstance(tree, dict):
        return {before}
    return {key for name, below in tree.items() for key in keys(below, f"{before}.{name}".strip("."))}


def test_there_are_eight_languages_that_we_write_and_twenty_more_that_we_hand_off_in() -> None:
    assert len(LANGUAGES) == 8
    assert len(OTHERS) >= 20
    assert not {*OTHERS} & {*LANGUAGES}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_that_we_write_has_every_phrase_of_english(language: str) -> None:
    own, english = phrases_of(language), phrases_of("en")
    assert own is not None
    assert english is not None
    assert keys(english.tree) - keys(own.tree) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_letter_in_a_language_that_we_write_greets_and_closes(language: str) -> None:
    letter = acknowledgement(language, "Anna Müller", {})
    greeting, line, *signature = letter.text.split("\n\n")
    assert "Anna" in greeting
    assert signature
    assert "{" not in letter.text
    assert letter.customers == letter.own == language_name(language) != language
    assert detect(line, default="").code == language


@pytest.mark.parametrize("language", OTHERS)
def test_a_letter_in_another_language_is_in_that_language(language: str) -> None:
    letter = acknowledgement(language, "Anna", {})
    near = {"hr": {"hr", "bs", "sr", "sh"}, "no": {"no", "da", "nb"}, "da": {"da", "no"}}
    assert detect(letter.text, default="", confidence=0.4).code in near.get(language, {language})
    assert "{" not in letter.text
    assert letter.customers == letter.own


def test_the_shops_own_signature_stands_below() -> None:
    assert acknowledgement("fi", "", {"fi": "Hearthwell"}).text.endswith("\n\nHearthwell")
    assert acknowledgement("de", "", {"de": "Ihr Team"}).text.endswith("\n\nIhr Team")


def test_of_any_other_language_our_people_are_told_the_name_and_the_letter_is_english() -> None:
    letter = acknowledgement("sw", "Anna", {})
    assert (letter.customers, letter.own) == ("Swahili", "English")
    assert letter.text.startswith("Hi Anna,")
    assert language_name("xx") == "xx"


def test_the_code_of_norwegian_is_not_read_as_a_no() -> None:
    assert "no" in OTHERS
    assert yaml.safe_load("no: 1") == {False: 1}
