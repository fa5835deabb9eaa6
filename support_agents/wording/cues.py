"""Word lists that rules go by, read from `cues.yaml`; a cue can only make a run more careful or more exact."""

from enum import StrEnum
from functools import cache
from importlib.resources import files

import re2
import yaml

# ` … ` in a phrase stands for up to four words.
_GAP = re2.escape(" … ")


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


def find_cue(cue: Cue, text: str) -> str | None:
    """Return the first listed word or phrase in `text`, as listed."""
    match = _pattern(cue).search(" ".join(text.casefold().replace("’", "'").split()))
    return match.group(1) if match else None


def is_before_buying(text: str) -> bool:
    """Whether `text` asks before anything was ordered, so that there is no order to ask for."""
    return find_cue(Cue.BEFORE_BUYING, text) is not None and find_cue(Cue.THEIR_ORDER, text) is None


@cache
def _pattern(cue: Cue) -> "re2._Regexp":
    lists = yaml.load(
        files(__package__ or "").joinpath("cues.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
    )
    listed = sorted({str(phrase).casefold() for phrase in lists[cue]}, key=len, reverse=True)
    phrases = "|".join(re2.escape(phrase).replace(_GAP, r"(?: [^ .,;:!?]+){0,4} ") for phrase in listed)
    return re2.compile(rf"(?:^|[^\pL\pN])({phrases})(?:$|[^\pL\pN])")
