"""What a reader cannot see is shown, and nothing is lost."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.console.visible import MOST_MARKS, excerpt, marked
from approvals.visible import plain, unseen_in


@pytest.mark.parametrize(
    "unseen",
    ["\u202e", "\u2066", "\u200b", "\u200d", "\u00ad", "\ufeff", "\0", "\x1b", "\r", "\u2028", "\u3164", "\ue000",
     "\U000e0041", "\U000e0100", "\ufe00", "\u061c", "\u180e", "\ud800"],
)  # fmt: skip
def test_each_unseen_character_becomes_its_number(unseen: str) -> None:
    assert plain(f"a{unseen}b") == f"a⟦U+{ord(unseen):04X}⟧b"


def test_what_can_be_seen_stays() -> None:
    text = "Grüße, 12\u00a0€ – “ok” 日本語 ❤️\n\tnext\u202fline"
    assert plain(text) == text


def test_a_line_end_is_one_line_end() -> None:
    assert plain("a\r\nb") == "a\nb"


def test_marked_is_escaped_and_sets_the_mark_off() -> None:
    assert marked("<b>\u202e") == '&lt;b&gt;<mark class="unseen">⟦U+202E⟧</mark>'


def test_equal_ones_in_a_row_are_one_mark_with_their_number() -> None:
    text = "a" + "\u200b" * 12_345 + "\u200c\u200c\u200bb"
    assert plain(text) == "a⟦U+200B ×12345⟧⟦U+200C ×2⟧⟦U+200B⟧b"
    assert marked("\0\0") == '<mark class="unseen">⟦U+0000 ×2⟧</mark>'
    assert unseen_in(text) == ("U+200B", "U+200C")


def test_an_excerpt_ends_where_too_many_marks_stand_and_says_what_is_left_out() -> None:
    text = "\u200b\u200c" * 10_000
    shown = excerpt(text)
    assert shown.count("<mark") == MOST_MARKS
    assert f"{len(text) - MOST_MARKS:,} further characters are not shown" in shown
    assert len(shown.encode()) < 60 * MOST_MARKS
    assert marked(text).count("<mark") == len(text)


@given(st.text())
def test_an_excerpt_of_few_marks_is_whole(text: str) -> None:
    assert excerpt(text) == marked(text)


@given(st.text(st.sampled_from("a\n\r\0\u200b\u202e")))
def test_no_character_is_dropped(text: str) -> None:
    left = text.replace("\r\n", "\n")
    for mark, number, times in re.findall(r"(⟦U\+([0-9A-F]+)(?: ×([0-9]+))?⟧|[^⟦])", plain(text)):
        part = chr(int(number, 16)) * int(times or 1) if number else mark
        assert left.startswith(part)
        left = left[len(part) :]
    assert left == ""
