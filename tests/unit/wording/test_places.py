"""A text names the places that it names, whether it is looked through once for all of them or for each."""

from hypothesis import given
from hypothesis import strategies as st

from support_agents.wording import places
from support_agents.wording.places import places_in

NAMES = sorted(name for names in places._data()["names"].values() for name in names)


@given(
    said=st.lists(st.sampled_from((*NAMES, "to", "my parcel", "s", "-", "2")), max_size=5),
    between=st.sampled_from(" -,"),
)
def test_every_name_is_found_that_its_own_pattern_finds(said: list[str], between: str) -> None:
    text = between.join(said).title()
    plain = " ".join(text.casefold().split())
    assert places_in(text) == {code for code, pattern in places._patterns().items() if pattern.search(plain)}
