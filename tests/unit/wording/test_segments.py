import pytest
from hypothesis import given
from hypothesis import strategies as st

from support_agents.wording.segments import Segmenter, split_sentences

LETTER = """Hi Anna,

Your order HW-1 (Tent 3.5 m) was shipped on 18. November with DHL [order.status][order.shipped_on]. You pay €3.95, \
e.g. for labels. [1] See https://help.x.example/track. Ask for no. 5 then! Really?
- Check with neighbours.
- Look for a card
1. Open https://x.y/z and choose Exchange. [2]

It is "done." Danke Dr. Smith. Die Antwort ist no. Ende
Kind regards,
Team"""


def texts(text: str) -> list[str]:
    return [segment.text for segment in split_sentences(text)]


def test_sentences_lists_and_marks_are_kept_whole() -> None:
    assert texts(LETTER) == [
        "Hi Anna,",
        "Your order HW-1 (Tent 3.5 m) was shipped on 18. November with DHL [order.status][order.shipped_on].",
        "You pay €3.95, e.g. for labels. [1]",
        "See https://help.x.example/track.",
        "Ask for no. 5 then!",
        "Really?",
        "- Check with neighbours.",
        "- Look for a card",
        "1. Open https://x.y/z and choose Exchange. [2]",
        'It is "done."',
        "Danke Dr. Smith.",
        "Die Antwort ist no.",
        "Ende",
        "Kind regards,",
        "Team",
    ]


def test_white_space_between_sentences_is_remembered() -> None:
    leads = [segment.lead for segment in split_sentences("One. Two.\nThree.\n\n\nFour.")]
    assert leads == ["", " ", "\n", "\n\n"]


@given(st.lists(st.integers(min_value=1, max_value=40), max_size=80))
def test_how_a_text_arrives_makes_no_difference(cuts: list[int]) -> None:
    segmenter, found, at = Segmenter(), [], 0
    for cut in cuts:
        found += segmenter.feed(LETTER[at : at + cut])
        at += cut
    found += segmenter.feed(LETTER[at:])
    found += segmenter.finish(complete=True)
    assert tuple(found) == split_sentences(LETTER)


@given(st.text(max_size=300))
def test_no_word_is_lost_or_made_up(text: str) -> None:
    assert "".join("".join(texts(text)).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("cut", "whole"),
    [
        ("You can return it. The item must be unu", ["You can return it."]),
        ("You can return it.", ["You can return it."]),
        ("You can", []),
        ("It costs nothing. It costs €3.", ["It costs nothing."]),
        ("Open it. See https://help.", ["Open it."]),
        ("Ask us, e.g.", []),
        ("Sure? Done. [1", ["Sure?"]),
    ],
)
def test_a_cut_text_ends_at_a_whole_sentence(cut: str, whole: list[str]) -> None:
    segmenter = Segmenter()
    found = [*segmenter.feed(cut), *segmenter.finish(complete=False)]
    assert [segment.text for segment in found] == whole
