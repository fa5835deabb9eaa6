"""Which lengths are read from a text, and that two or none give none."""

import pytest

from support_agents.wording.lengths import centimetres_in


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("my husband is 1.86 m.", 186),
        ("1,86 m groß", 186),
        ("je fais 1m86", 186),
        ("I'm 1.92 tall", 192),
        ("She is 165 cm", 165),
        ("I'm 190 tall", 190),
        ("186cm tall, that is 1.86 m", 186),
        ("130 x 180 cm or 150 cm", None),
        ("order HW-10464 of 186 euros", None),
        ("version 11.86", None),
        ("", None),
    ],
)
def test_the_only_length_is_read(text: str, length: int | None) -> None:
    assert centimetres_in(text) == length
