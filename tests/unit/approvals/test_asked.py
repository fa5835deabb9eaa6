"""What a card shows of a message: the sentences that ask before all others, every gap marked, no word changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.asked import SHORT, asked_words
from approvals.card import LONGEST_WORDS

STORY = "The lantern I bought for my sister's wedding came three days late and the glass on one side was cracked."
ASK = "Could you please refund me?"
LONG = f"Hi there,\n\n{STORY} {STORY.replace('lantern', 'lamp')}\n\n{ASK} Thanks a lot,\nSanne"


def test_a_short_message_is_whole_on_one_paragraph() -> None:
    said = asked_words("Hi,\n\nwhere is\nmy parcel?\n\nAnna", ["where is\nmy parcel?"])
    assert (said.text, said.cut) == ("Hi, where is my parcel? Anna", False)


def test_of_a_long_one_the_ask_stays_and_a_greeting_gives_way_to_the_story() -> None:
    said = asked_words(LONG, [ASK])
    assert said.text == f"[…] {STORY} […] {ASK} […]"
    assert said.cut


def test_an_ask_stays_however_late_it_comes() -> None:
    said = asked_words(f"{STORY} " * 40 + ASK, [ASK])
    assert said.text.endswith(f"[…] {ASK}")


def test_without_an_ask_what_says_most_stays() -> None:
    assert STORY in asked_words(f"Hello. {STORY} Bye. " + "It is what it is. " * 10, []).text


def test_an_ask_longer_than_a_card_is_cut_where_it_is_seen_to_be() -> None:
    said = asked_words("x" * 50 + " word" * 200, ["x" * 50 + " word" * 200])
    assert len(said.text) <= LONGEST_WORDS
    assert said.text.endswith("[…]")
    assert said.cut


@pytest.mark.parametrize("number", ["2.5 kg", "HW-10.449", "https://shop.example/a?b=1!c", "12.11.2026"])
def test_no_number_or_address_is_torn(number: str) -> None:
    said = asked_words(f"{STORY} The parcel says {number} on it. {STORY} {ASK}", [f"The parcel says {number} on it."])
    assert f"The parcel says {number} on it." in said.text


@given(st.text(max_size=1_200), st.integers(0, 1_200), st.integers(1, 100))
def test_every_word_is_the_customers_and_in_their_order(text: str, start: int, length: int) -> None:
    said = asked_words(text, [text[start : start + length]])
    whole = " ".join(text.split())
    assert len(said.text) <= LONGEST_WORDS
    assert said.cut == (said.text != whole)
    place = 0
    for part in said.text.split("[…]") if said.cut else [said.text]:
        place = whole.index(part.strip(), place) if "[…]" not in whole else place
    assert len(whole) > SHORT or not said.cut


def test_a_hostile_message_takes_no_time() -> None:
    asked_words("a. " * 400_000, ["a."])
