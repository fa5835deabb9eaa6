"""Values that articles have rules of their own for – ways to pay, stores, mailboxes –, by `kinds.yaml`; no rules."""

from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import yaml

from support_agents.wording.gapped import Gapped, plain_words

_MOST_BETWEEN = 2
_GIFT_CARD = "giftcard"


def overlooked(told: str, said: str, evidence: str) -> tuple[str, ...]:
    """Return the values that `told` names and `evidence` tells apart, and for which `said` is not.

    That is a value that `said` does not name: any where it names another of the family, and any but the usual one.
    """
    wanted, known, given = kinds_in(told), kinds_in(evidence), kinds_in(said)
    return tuple(
        name
        for family, names in wanted.items()
        for name in sorted(names & known.get(family, frozenset()) - given.get(family, frozenset()))
        if given.get(family) or name != _usual()[family]
    )


@lru_cache(maxsize=256)
def kinds_in(text: str) -> Mapping[str, frozenset[str]]:
    """Return the values that `text`, in any of our languages, names, by family; a family without any is left out."""
    plain = plain_words(text)
    for name in _gift_cards():
        plain = plain.replace(f" {name} ", f" {_GIFT_CARD} ")
    found = {
        family: frozenset(name for name, phrases in values.items() if phrases.found_in(plain))
        for family, values in _families().items()
    }
    return {family: names for family, names in found.items() if names}


@cache
def _families() -> Mapping[str, Mapping[str, Gapped]]:
    return {
        family: {name: Gapped.of(phrases, gap=_MOST_BETWEEN) for name, phrases in values.items()}
        for family, values in _data().items()
        if family != _GIFT_CARD
    }


@cache
def _usual() -> Mapping[str, str]:
    return {family: next(iter(values)) for family, values in _families().items()}


@cache
def _gift_cards() -> tuple[str, ...]:
    return tuple(_data()[_GIFT_CARD])


@cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = yaml.load(
        files(__package__ or "").joinpath("kinds.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
    )
    return data
