"""Each sign seen where a sentence was changed and not seen where it was only reworded."""

import pytest

from support_agents.agents.checks.differences import Sign, differences
from support_agents.agents.checks.source import read

SOURCE = (
    "Anna Berger returned the Glow lantern on Monday and Bert Cole repaired it within three days. "
    "You can return most unused items free of charge within 30 days, unless they were personalised. "
    "A refund may take up to 5 days. The price rose by 4% to €1,234 in the third quarter. "
    "Sale items cannot be exchanged. The European Space Agency approved the Gold plan."
)
CHANGED = [
    (Sign.NUMBER, "You can return most unused items within 60 days."),
    (Sign.NUMBER, "The price rose by 4% to €1,243."),
    (Sign.UNIT, "You can return most unused items within 30 weeks."),
    (Sign.NAME, "The agency approved the Platinum plan."),
    (Sign.NAME, "The price rose for order HW-10423."),
    (Sign.OPPOSITE, "The price fell by 4% in the third quarter."),
    (Sign.OPPOSITE, "The space agency rejected the plan."),
    (Sign.OPPOSITE, "You can return most used items."),
    (Sign.NEGATION, "A refund does not take up to 5 days."),
    (Sign.NEGATION, "Bert Cole refused to repair the lantern."),
    (Sign.NEGATION_LOST, "Sale items can be exchanged."),
    (Sign.CONDITION_LOST, "You can return most unused items free of charge within 30 days when personalised."),
    (Sign.QUANTIFIER, "You can return all unused items free of charge within 30 days."),
    (Sign.HEDGE_LOST, "A refund takes 5 days."),
    (Sign.ROLE_SWAP, "Bert returned the Glow lantern on Monday and Anna Cole repaired it within three days."),
]
REWORDED = [
    "Within thirty days you can return most unused items at no cost, unless they were personalised.",
    "In Q3 the price rose by 4 % to 1.234 euros.",
    "A refund may need up to five days.",
    "The ESA approved the Gold plan.",
    "Sale items can't be exchanged.",
    "Bert Cole repaired it within 3 days.",
    SOURCE,
]


def signs(text: str, language: str = "en", source: str = SOURCE) -> set[Sign]:
    return {one.sign for line in read(text).lines for one in differences(line, read(source), language)}


@pytest.mark.parametrize(("sign", "text"), CHANGED, ids=[text for _, text in CHANGED])
def test_a_change_is_noticed_by_its_sign(sign: Sign, text: str) -> None:
    assert sign in signs(text)


@pytest.mark.parametrize("text", REWORDED)
def test_other_words_for_the_same_are_no_difference(text: str) -> None:
    assert signs(text) == set()


def test_every_sign_is_seen() -> None:
    assert {sign for sign, _ in CHANGED} == set(Sign)


def test_reasons_name_the_word_that_differs() -> None:
    line = read("You can return most unused items within 60 days.").lines[0]
    assert [one.reason for one in differences(line, read(SOURCE), "en")] == ["“60” is nowhere in the source"]


@pytest.mark.parametrize(
    ("language", "source", "text", "sign"),
    [
        ("de", "Die Rücksendung ist kostenlos.", "Die Rücksendung ist kostenpflichtig.", Sign.OPPOSITE),
        ("de", "Sie haben 30 Tage Zeit.", "Sie haben 60 Tage Zeit.", Sign.NUMBER),
        ("es", "La devolución es gratuita.", "La devolución no es gratuita.", Sign.NEGATION),
        ("fr", "Le retour est gratuit.", "Le retour est payant.", Sign.OPPOSITE),
        ("nl", "U heeft 30 dagen.", "U heeft 40 dagen.", Sign.NUMBER),
    ],
)
def test_other_languages_have_what_their_lists_give(language: str, source: str, text: str, sign: Sign) -> None:
    assert sign in signs(text, language, source)
    assert signs(source, language, source) == set()


def test_a_german_noun_is_no_new_name() -> None:
    assert Sign.NAME not in signs("Die Ware kommt zurück.", "de", "Das Paket kommt zurück.")


def test_a_tables_row_is_not_held_to_what_its_other_cells_deny() -> None:
    row = "Country: Spain, Italy; Standard: 4 days; Express: not available"
    assert signs("Standard delivery to Spain and Italy takes 4 days.", source=row) == set()
