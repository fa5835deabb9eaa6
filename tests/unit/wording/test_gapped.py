"""Phrases are found by their first word exactly where they stand."""

from hypothesis import given
from hypothesis import strategies as st

from support_agents.wording.gapped import Gapped, plain_words

WORDS = ("not", "damaged", "damage", "box", "the", "it's", "broken-off", "late")
PHRASES = st.lists(
    st.builds(
        lambda words, opened: f"{' '.join(words)}{'*' if opened else ''}",
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=3),
        st.booleans(),
    ),
    max_size=4,
)


@given(phrases=PHRASES, said=st.lists(st.sampled_from(WORDS), max_size=8))
def test_a_phrase_is_found_where_it_stands_and_nowhere_else(phrases: list[str], said: list[str]) -> None:
    plain = plain_words(", ".join(said))
    stands = any(f" {one.removesuffix('*')}" + ("" if one.endswith("*") else " ") in plain for one in phrases)
    assert Gapped.of(phrases, gap=3).found_in(plain) == stands


def test_what_is_taken_back_is_not_found() -> None:
    damaged = Gapped.of(["damaged box", "damag*"], gap=3)
    assert damaged.found_in(plain_words("A damaged box!"), frozenset({"not"}))
    assert not damaged.found_in(plain_words("It is not a damaged box."), frozenset({"not"}))
    assert damaged.found_in(plain_words("Not the lid. A very damaged box it is"), frozenset({"not"}))
