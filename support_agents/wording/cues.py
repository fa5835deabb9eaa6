"""Word lists that rules go by, read from `cues.yaml`; a cue can only make a run more careful or more exact."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

import yaml

from support_agents import linear

# ` … ` in a phrase stands for up to four words.
_GAP, _FEW_WORDS = " … ", r"(?: [^ .,;:!?]+){0,4} "


class Cue(StrEnum):
    """What a word list stands for."""

    DANGER = "danger"
    MONEY = "money"
    REPLACEMENT = "replacement"
    GENERAL = "general"
    TROUBLE = "trouble"
    AGED = "aged"
    DEFECT = "defect"
    PRESS = "press"
    DISPUTE = "dispute"
    OTHERS_DATA = "others_data"
    BUSINESS = "business"
    NOT_OURS = "not_ours"
    OTHER_PRODUCT = "other_product"
    VARIANT = "variant"
    SHOP = "shop"
    UNWANTED = "unwanted"
    NO_MAILBOX = "no_mailbox"
    THEIR_ORDER = "their_order"
    BEFORE_BUYING = "before_buying"
    ANOTHERS_PURCHASE = "anothers_purchase"


@lru_cache(maxsize=512)
def find_cue(cue: Cue, text: str) -> str | None:
    """Return the first listed word or phrase in `text`, as listed."""
    plain, words = _plain(text)
    listed = _listed(cue)
    possible = [
        one for word in words & listed.keys() for one in listed[word] if all(part in plain for part in one.parts)
    ]
    match = _pattern(tuple(one.phrase for one in sorted(possible))).search(plain) if possible else None
    return str(match.group(1)) if match else None


def is_before_buying(text: str) -> bool:
    """Whether `text` asks before anything was ordered, so that there is no order to ask for."""
    return find_cue(Cue.BEFORE_BUYING, text) is not None and find_cue(Cue.THEIR_ORDER, text) is None


class _Listed(NamedTuple):
    """A phrase with its place, the longest first, and the parts that a text must have for it to stand there."""

    place: int
    phrase: str
    parts: tuple[str, ...]


@lru_cache(maxsize=64)  # every cue is looked for in the same message
def _plain(text: str) -> tuple[str, frozenset[str]]:
    """A text in small letters with single spaces, and its words with the empty one, under which the rest is listed."""
    plain = " ".join(text.casefold().replace("’", "'").split())
    return plain, frozenset(("", *linear.words(plain)))


@cache
def _listed(cue: Cue) -> Mapping[str, tuple[_Listed, ...]]:
    """The phrases of a cue by the word that each begins with, under which alone a text can have it."""
    lists = yaml.load(
        files(__package__ or "").joinpath("cues.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
    )
    listed = sorted({str(phrase).casefold() for phrase in lists[cue]}, key=len, reverse=True)
    by_word: dict[str, list[_Listed]] = {}
    for place, phrase in enumerate(listed):
        word = linear.words(phrase)[0] if phrase[:1].isalnum() else ""
        by_word.setdefault(word, []).append(_Listed(place, phrase, tuple(phrase.split(_GAP))))
    return {word: tuple(ones) for word, ones in by_word.items()}


@lru_cache(maxsize=256)
def _pattern(phrases: tuple[str, ...]) -> linear.Pattern:
    """A pattern of the few phrases whose parts a text has: one of them all is too large for the engine's quick way."""
    listed = "|".join(linear.escape(one).replace(linear.escape(_GAP), _FEW_WORDS) for one in phrases)
    return linear.compile(rf"(?:^|[^\pL\pN])({listed})(?:$|[^\pL\pN])")
