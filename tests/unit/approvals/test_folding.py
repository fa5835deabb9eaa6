"""Older mail is folded away and no word of the customer's is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.quoting import fold


@pytest.mark.parametrize(
    ("text", "fresh"),
    [
        ("Thanks!\n\nOn Mon, 2 Nov 2026, Shop wrote:\n> hello\n> there\n", "Thanks!\n\n"),
        ("Danke\n\nAm Mo., 2. Nov. 2026 um 9:00 Uhr,\nLaden <a@b.example> schrieb:\n>\n> hallo", "Danke\n\n"),
        ("Hi\n-----Original Message-----\nFrom: shop\n", "Hi\n"),
        ("> is it ok?\nyes\n> and this?\nno", "> is it ok?\nyes\n> and this?\nno"),
        ("I wrote:\nplease help", "I wrote:\nplease help"),
        ("see below\n> one\n\n> two\n", "see below\n"),
        ("", ""),
    ],
)
def test_history_begins_where_it_begins(text: str, fresh: str) -> None:
    assert fold(text).fresh == fresh


@given(st.lists(st.sampled_from(["> a\n", "b\n", "\n", "X wrote:\n", "_" * 16 + "\n", "\u2028"])))
def test_fresh_and_quoted_are_the_message(lines: list[str]) -> None:
    folded = fold("".join(lines))
    assert folded.fresh + folded.quoted == "".join(lines)


def test_a_hostile_message_takes_no_time() -> None:
    fold("> a\nb\n" * 100_000)
