"""What a message is about where its words tell more than its intent; rules that only make an answer more careful."""

from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files

import yaml

from support_agents import linear
from support_agents.domain.intent import UNKNOWN
from support_agents.wording.cues import Cue, find_cue

_DAMAGE, _WARRANTY, _RETURN, _EXCHANGE = "damaged_item", "warranty", "return_request", "exchange_request"
# Intents that are taken up for much that is about something else: another one told in so many words goes first.
_YIELDING = frozenset({"payment_failed", "change_order", _RETURN, "account_access"})
_GIVING_BACK = frozenset({"refund_request", _RETURN, _EXCHANGE})
_PATTERN_BYTES = 64 << 20
_SAME_SENTENCE = r"[^.?!]*[^\pL\pN.?!]"


def meant(intent: str, text: str, ask: str = "") -> str:
    """Return the intent to answer, `UNKNOWN` where the message has none of the words that go with it.

    A faulty item is no change of mind, and what broke in use no damage on delivery. `ask` is the part of `text` that
    tells an intent by its own words where the model knows none; the whole text where there is only one ask.
    """
    told = _told(ask or text)
    doubtful = intent == UNKNOWN or not is_witnessed(intent, text) or (intent in _YIELDING and told != UNKNOWN)
    believed = told if doubtful else intent
    faulty = believed == _DAMAGE or (believed in _GIVING_BACK and find_cue(Cue.DEFECT, text) is not None)
    if not faulty:
        return believed
    return _WARRANTY if find_cue(Cue.AGED, text) is not None else _DAMAGE


@lru_cache(maxsize=1_024)
def is_witnessed(intent: str, text: str) -> bool:
    """Whether the message has a word that goes with the intent, or the intent needs none."""
    pattern = _patterns("needed").get(intent)
    return pattern is None or pattern.search(_plain(text)) is not None


@lru_cache(maxsize=1_024)
def _told(text: str) -> str:
    """The intent whose own words stand in the text; unknown where none does or several do."""
    plain = _plain(text)
    found = [intent for intent, pattern in _patterns("enough").items() if pattern.search(plain)]
    return found[0] if len(found) == 1 else UNKNOWN


def _plain(text: str) -> str:
    return " ".join(text.casefold().replace("’", "'").split())


@cache
def _patterns(kind: str) -> Mapping[str, linear.Pattern]:
    data = yaml.load(
        files(__package__ or "").joinpath("witnesses.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
    )
    return {intent: _pattern(tuple(lists[kind])) for intent, lists in data.items() if kind in lists}


def _pattern(beginnings: tuple[str, ...]) -> linear.Pattern:
    listed = "|".join(
        _SAME_SENTENCE.join(linear.escape(part.casefold()) for part in str(beginning).split("…"))
        for beginning in beginnings
    )
    return linear.compile(rf"(?:^|[^\pL\pN])(?:{listed})", memory=_PATTERN_BYTES)
