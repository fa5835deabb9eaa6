"""The benchmark's phone: lines break between words, and what stands around a message counts."""

import textwrap

from hypothesis import given
from hypothesis import strategies as st

from approvals.adapters.slack.blocks import Blocks
from approvals.screenful import rows_that_fit
from tests.benchmarks.phone import SCREEN, height_of, lines_of
from tests.fixtures.cards import INSTALLATION, card, sheet

WORDS = st.lists(st.integers(1, 12).map(lambda length: "x" * length), max_size=40)


@given(WORDS)
def test_lines_break_between_words(words: list[str]) -> None:
    text = " ".join(words)
    assert lines_of(text, 42) == max(1, len(textwrap.wrap(text, 42)))


def test_empty_lines_and_long_words_take_lines_too() -> None:
    assert lines_of("a\n\nb", 42) == 3
    assert lines_of("x" * 85, 42) == 3
    assert lines_of("so " + "x" * 85 + " on", 42) == 4


def test_a_message_is_as_high_as_its_parts() -> None:
    # Who sent it; customer; their words and order; three paragraphs of a reply; small print; buttons; room between.
    height = height_of(Blocks(INSTALLATION).message(card()))
    assert height == 37 + 20 + 3 * 17 + (20 + 40 + 20) + 2 * 17 + (44 + 8 + 44) + 6 * 8


@given(st.integers(2, 20), st.integers(1, 300), st.integers(10, 500))
def test_a_sheet_of_the_rows_that_fit_fits(rows: int, said: int, template: int) -> None:
    made = sheet(rows, "word " * (said // 5) or "word").model_copy(update={"text": "word " * (template // 5)})
    most = rows_that_fit(f"{made.template} · {made.version}", made.text, [row.line for row in made.rows])
    if most:
        drawn = Blocks(INSTALLATION).message(made.model_copy(update={"rows": made.rows[:most]}))
        assert height_of(drawn) <= SCREEN
