"""What a reader cannot see is shown, and nothing is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.console.visible import marked
from approvals.visible import plain


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


@given(st.text())
def test_no_character_is_dropped(text: str) -> None:
    shown = plain(text)
    for character in text.replace("\r\n", "\n"):
        assert character in shown or f"⟦U+{ord(character):04X}⟧" in shown
