"""A listed phrase is found as one pattern of all of them would find it."""

from collections.abc import Iterator
from importlib.resources import files

import pytest
import re2
import yaml

from support_agents.wording.cues import Cue, find_cue

FILLING = ("", " really", " it was not", " one two three four", " one two three four five", " stop. there")


def phrases(cue: Cue) -> list[str]:
    lists = yaml.safe_load(files("support_agents.wording").joinpath("cues.yaml").read_text(encoding="utf-8"))
    return sorted({str(phrase).casefold() for phrase in lists[cue]}, key=len, reverse=True)


def whole_pattern(listed: list[str]) -> object:
    options = re2.Options()
    options.max_mem = 256 << 20
    gap = re2.escape(" … ")
    joined = "|".join(re2.escape(one).replace(gap, r"(?: [^ .,;:!?]+){0,4} ") for one in listed)
    return re2.compile(rf"(?:^|[^\pL\pN])({joined})(?:$|[^\pL\pN])", options)


def texts(listed: list[str]) -> Iterator[str]:
    for at in range(0, len(listed), 3):
        one, other = listed[at], listed[at - 7]
        for filling in FILLING:
            yield f"Hello, {one.replace(' …', filling)} and {other.replace(' …', filling)}!".upper()
        yield f"un{one}s, then {other}"


@pytest.mark.parametrize("cue", Cue)
def test_it_finds_what_one_pattern_of_all_would(cue: Cue) -> None:
    listed = phrases(cue)
    pattern = whole_pattern(listed)
    found = 0
    for text in texts(listed):
        plain = " ".join(text.casefold().replace("’", "'").split())
        match = pattern.search(plain)  # type: ignore[attr-defined]
        assert find_cue(cue, text) == (match.group(1) if match else None), text
        found += match is not None
    assert found
