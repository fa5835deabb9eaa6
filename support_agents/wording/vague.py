"""Messages that say too little to be answered, by `vague.yaml`, and which question each needs; it answers none."""

from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

import yaml

from support_agents import linear
from support_agents.wording.causes import causes_in

_PIECE = linear.compile(r"[.,!?;:\n]+")
_LONGEST_NAME = 3


class _Vague(NamedTuple):
    """What a message has one of each of and none of, how many words at most, whether it may tell what happened."""

    words: int
    cause: bool
    every: tuple[tuple[str, ...], ...]
    none: tuple[str, ...]
    bare: frozenset[str]


@lru_cache(maxsize=64)
def question_needed(text: str) -> str:
    """Return the name of the question that `text`, in any of our languages, needs before anything; empty if none."""
    words = linear.words_and_shares(text.casefold())
    plain = f" {' '.join(words)} "
    for name, one in _kinds().items():
        if len(words) > one.words:
            continue
        said = all(any(form in plain for form in group) for group in one.every)
        told = any(form in plain for form in one.none) or (not one.cause and causes_in(text))
        if said and not told and (not one.bare or _is_bare(text, one)):
            return name
    return ""


def _is_bare(text: str, one: _Vague) -> bool:
    """Whether what is to be done stands alone, with no word of what it is to be done to."""
    for piece in _PIECE.split(text.casefold().replace("’", "'")):
        words = linear.hyphened_words(piece)
        rest = [word for word in words if word not in one.bare]
        does = [word for word in rest if f" {word}" in one.every[0]]
        if len(rest) > len(does) and (does or len(words) > _LONGEST_NAME):
            return False
    return True


@cache
def _kinds() -> Mapping[str, _Vague]:
    data = yaml.load(
        files(__package__ or "").joinpath("vague.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
    )
    return {
        name: _Vague(
            int(one["words"]),
            bool(one["cause"]),
            tuple(_forms(group) for group in one["all"]),
            _forms(one["none"]),
            frozenset(str(word) for word in one.get("bare", ())),
        )
        for name, one in data.items()
    }


def _forms(listed: list[str]) -> tuple[str, ...]:
    return tuple(f" {' '.join(linear.words_and_shares(str(form).casefold()))}" for form in listed)
