"""Messages that say too little to be answered, by `vague.yaml`, and which question each needs; it answers none."""

from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

import re2
import yaml

from support_agents.wording.causes import causes_in

_WORD = re2.compile(r"[\pL\pN%]+")


class _Vague(NamedTuple):
    """What a message has one of each of and none of, how many words at most, whether it may tell what happened."""

    words: int
    cause: bool
    every: tuple[tuple[str, ...], ...]
    none: tuple[str, ...]


@lru_cache(maxsize=1_024)
def question_needed(text: str) -> str:
    """Return the name of the question that `text`, in any of our languages, needs before anything; empty if none."""
    words = _WORD.findall(text.casefold())
    plain = f" {' '.join(words)} "
    for name, one in _kinds().items():
        said = all(any(form in plain for form in group) for group in one.every)
        told = any(form in plain for form in one.none) or (not one.cause and causes_in(text))
        if said and len(words) <= one.words and not told:
            return name
    return ""


@cache
def _kinds() -> Mapping[str, _Vague]:
    data = yaml.load(
        files(__package__ or "").joinpath("vague.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
    )
    return {
        name: _Vague(
            int(one["words"]), bool(one["cause"]), tuple(_forms(group) for group in one["all"]), _forms(one["none"])
        )
        for name, one in data.items()
    }


def _forms(listed: list[str]) -> tuple[str, ...]:
    return tuple(f" {' '.join(_WORD.findall(str(form).casefold()))}" for form in listed)
