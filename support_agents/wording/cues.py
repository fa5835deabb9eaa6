"""Word lists that rules go by, read from `cues.yaml`; a cue can only make a run more careful or more exact."""

from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files

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
    plain = " ".join(text.casefold().replace("’", "'").split())
    possible = tuple(
        phrase
        for phrase, (first, *rest) in _listed(cue)
        if first in plain and (not rest or all(part in plain for part in rest))
    )
    match = _pattern(possible).search(plain) if possible else None
    return str(match.group(1)) if match else None


def is_before_buying(text: str) -> bool:
    """Whether `text` asks before anything was ordered, so that there is no order to ask for."""
    return find_cue(Cue.BEFORE_BUYING, text) is not None and find_cue(Cue.THEIR_ORDER, text) is None


@cache
def _listed(cue: Cue) -> tuple[tuple[str, list[str]], ...]:
    """The phrases of a cue, longest first, each with the parts that a text must have for it to stand there."""
    lists = yaml.load(
        files(__package__ or "").joinpath("cues.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
    )
    listed = sorted({str(phrase).casefold() for phrase in lists[cue]}, key=len, reverse=True)
    return tuple((phrase, phrase.split(_GAP)) for phrase in listed)


@lru_cache(maxsize=256)
def _pattern(phrases: tuple[str, ...]) -> linear.Pattern:
    """A pattern of the few phrases whose parts a text has: one of them all is too large for the engine's quick way."""
    listed = "|".join(linear.escape(one).replace(linear.escape(_GAP), _FEW_WORDS) for one in phrases)
    return linear.compile(rf"(?:^|[^\pL\pN])({listed})(?:$|[^\pL\pN])")
