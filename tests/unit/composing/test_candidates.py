import pytest

from support_agents.composing.candidates import candidates_of
from support_agents.composing.rows import read_row
from tests.fixtures.drafting import passage


def texts(text: str) -> list[str]:
    return [candidate.text for candidate in candidates_of(passage(text).passage, 0)]


@pytest.mark.parametrize(
    "text",
    [
        "Open the order, see above.",
        "Click here to start.",
        "Customers can return items.",
        "Two words.",
        "A heading without an end",
        "- gift cards,\n- personalised items,",
        "We need:\n- one photo of the damage,",
        "3. Third step of a list that began elsewhere.",
        "Press [3] to continue now.",
        "Please send us:",
        " ".join(["word"] * 60) + ".",
    ],
)
def test_what_cannot_stand_in_a_reply_is_no_candidate(text: str) -> None:
    assert texts(text) == []


def test_a_list_stays_whole_with_its_lead_in() -> None:
    text = "Do it now. You need:\n- a photo,\n- a box.\nThat is all you need."
    assert texts(text) == ["Do it now.", "You need:\n- a photo,\n- a box.", "That is all you need."]


def test_steps_stay_together_and_bulleted_sentences_stand_alone() -> None:
    steps = "1. Open the page.\n2. Choose a size.\n3. Send it back."
    assert texts(steps) == [steps]
    assert "1. " not in "".join(texts("1. Open the page.\n- Or the app.\n2. Choose a size."))  # not whole
    assert texts("- Check with your neighbours.\n- Wait one more day.") == [
        "- Check with your neighbours.",
        "- Wait one more day.",
    ]


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("First this one. It takes two days.", [True, True]),
        ("We ask the carrier. If nothing comes by then, we refund it.", [False, True]),
        ("You can return it. The label is free.", [False, False]),
    ],
)
def test_a_sentence_that_points_back_needs_the_one_before(text: str, needs: list[bool]) -> None:
    found = candidates_of(passage(text.replace("First this", "This first")).passage, 0)
    assert [candidate.needs_previous for candidate in found] == needs


def test_a_table_row_becomes_a_line_about_what_it_names() -> None:
    row = read_row("Country: Spain, Italy, Portugal, Ireland; Standard: 4–6 days; Express: not available")
    assert row is not None
    assert row.written(only=frozenset({"spain"})) == (
        "Standard delivery to Spain takes 4–6 days; express delivery is not available there."
    )
    store = read_row("Store: Hamburg, Lange Reihe 48; Sunday: closed")
    assert store is not None
    assert store.written(only=frozenset({"hamburg"})) == ""  # nobody wrote a sentence for such a table


@pytest.mark.parametrize("line", ["EU: 38; UK: 5", "One thing: this.", "No cells at all", "A: b"])
def test_other_text_is_no_row(line: str) -> None:
    assert read_row(line) is None
