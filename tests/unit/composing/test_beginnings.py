"""Listed words are found by their first letters exactly where looking for each in turn finds them."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from support_agents.composing.beginnings import Beginnings, Needed
from support_agents.composing.circumstances import has_words

LISTED = st.sampled_from(
    ("a", "re", "refund", "refund the", "the box", "Größe", "größ", "co-op", "don't", "e", "...", "boxes of two", "2")
)
GROUPS = st.lists(st.lists(LISTED, max_size=4), max_size=3)
TEXT = st.lists(
    st.sampled_from(("a", "reply", "refund", "the", "box", "boxes", "of two", "Größen", "co-op.", "don't", "x", "20")),
    max_size=9,
).map(" ".join)


@given(texts=st.lists(TEXT, min_size=1, max_size=2), groups=GROUPS, without=st.lists(LISTED, max_size=3))
def test_a_macros_words_are_found_together_as_they_are_one_by_one(
    texts: Sequence[str], groups: Sequence[Sequence[str]], without: Sequence[str]
) -> None:
    needed = Needed.of(groups, without)
    index = Beginnings.of(one for group in (*needed.groups, needed.without) for one in group)
    for text in texts:
        assert needed.met_by(index.found_in(text)) == has_words(text, groups, without)
