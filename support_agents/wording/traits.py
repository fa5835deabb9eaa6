"""What a sentence is like – dangling, conditional, a promise – by the word lists of its language; no judgement here."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files

import yaml

from support_agents import linear


class Trait(StrEnum):
    """A list of `traits.yaml`."""

    DANGLING_START = "dangling_start"
    DANGLING_INSIDE = "dangling_inside"
    POINTER = "pointer"
    THIRD_PERSON = "third_person"
    CONTACT = "contact"
    BEFORE_CONTACT = "before_contact"
    STRONG_CONDITION = "strong_condition"
    NEGATION = "negation"
    BEFORE_DISPATCH = "before_dispatch"
    AFTER_DISPATCH = "after_dispatch"
    EVIDENCE = "evidence"
    ASKS_NUMBER = "asks_number"
    SEEN = "seen"
    CHOICE = "choice"
    EXCLUDES = "excludes"
    PROMISE = "promise"
    ACTION_REFUND = "action_refund"
    ACTION_SHIP = "action_ship"
    ACTION_CANCEL = "action_cancel"
    ACTION_OTHER = "action_other"
    SAYS_NOT_SHIPPED = "says_not_shipped"
    SAYS_SHIPPED = "says_shipped"
    SAYS_DELIVERED = "says_delivered"
    SAYS_CANCELLED = "says_cancelled"
    SAYS_RETURNED = "says_returned"


# A row as passages hold it: `Country: France; Standard: 3 days`.
_ROW = linear.compile(r"^[^;:.]{1,40}: [^;]{1,200}; [^;:.]{1,40}: ")
_LIST_MARK = linear.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+")


def has(trait: Trait, text: str, language: str) -> bool:
    """Whether the sentence has the trait in its language; a language without lists has none."""
    return bool(words_of(trait, text, language))


@lru_cache(maxsize=1_024)
def denies_something(quote: str, said: str, language: str) -> bool:
    """Whether a quote is negated; of a table's row only in the cells whose column `said` speaks of."""
    if not _ROW.search(quote):
        return has(Trait.NEGATION, quote, language)
    plain = said.casefold()
    cells = [cell for cell in quote.split("; ") if cell.partition(":")[0].strip().casefold() in plain]
    return any(has(Trait.NEGATION, cell, language) for cell in cells)


@lru_cache(maxsize=4_096)
def words_of(trait: Trait, text: str, language: str) -> tuple[str, ...]:
    """Return the listed words and phrases that `text` contains, in order, each as often as it occurs."""
    pattern = _pattern(trait, language)
    if pattern is None:
        return ()
    plain = _plain(text)
    found, position = [], 0
    while match := pattern.search(plain, position):
        found.append(match.group(1))
        if trait is Trait.DANGLING_START:
            break
        position = match.end(1)
    return tuple(found)


@lru_cache(maxsize=1_024)
def _plain(text: str) -> str:
    """A sentence in small letters, without the mark of a list item, for which every list is looked at."""
    return " ".join(_LIST_MARK.sub("", text).casefold().replace("’", "'").split())


@cache
def _pattern(trait: Trait, language: str) -> linear.Pattern | None:
    phrases = _lists().get(language, {}).get(trait.value, [])
    if not phrases:
        return None
    listed = "|".join(linear.escape(str(p).casefold()) for p in sorted(phrases, key=lambda p: -len(str(p))))
    start = r"^" if trait is Trait.DANGLING_START else r"(?:^|[^\pL\pN'])"
    return linear.compile(rf"{start}({listed})(?:$|[^\pL\pN'])")


@cache
def _lists() -> Mapping[str, Mapping[str, list[str]]]:
    data: Mapping[str, Mapping[str, list[str]]] = yaml.load(
        files(__package__ or "").joinpath("traits.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
    )
    return data
