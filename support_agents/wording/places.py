"""Countries that a text names, by name or large town, so that nobody is told another country's terms; no others."""

from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import yaml

from support_agents import linear

EUROPEAN_UNION = "eu"


@lru_cache(maxsize=2_048)
def places_in(text: str) -> frozenset[str]:
    """Return the codes of the countries and regions named in `text`."""
    plain = " ".join(text.casefold().split())
    if _any_place().search(plain) is None:
        return frozenset()  # as in most texts
    return frozenset(code for code, pattern in _patterns().items() if pattern.search(plain))


def names_in(text: str) -> tuple[str, ...]:
    """Return the names by which `text` names them."""
    plain = " ".join(text.casefold().split())
    found = (pattern.search(plain) for pattern in _patterns().values())
    return tuple(match.group(0) for match in found if match)


def speaks_of_elsewhere(sentence: str, around: str, asked: str) -> bool:
    """Whether `sentence`, under the title and heading `around`, is about other places than the customer's words.

    A heading's place must be the customer's own; a sentence's place may be any while the customer names none.
    """
    named, scope, theirs = places_in(sentence), places_in(around), _with_union(places_in(asked))
    if scope and not scope & (named | theirs):
        return True
    return bool(named and theirs) and not named & theirs


def _with_union(codes: frozenset[str]) -> frozenset[str]:
    return codes | {EUROPEAN_UNION} if codes & frozenset(_data()["members"]) else codes


@cache
def _patterns() -> dict[str, linear.Pattern]:
    return {code: _pattern(tuple(names)) for code, names in _data()["names"].items()}


@cache
def _any_place() -> linear.Pattern:
    return _pattern(tuple(name for names in _data()["names"].values() for name in names))


def _pattern(names: tuple[str, ...]) -> linear.Pattern:
    listed = "|".join(linear.escape(name) for name in names)
    return linear.compile(rf"(?:^|[^\pL\pN])(?:{listed})(?:$|[^\pL])")


@cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = yaml.load(
        files(__package__ or "").joinpath("places.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
    )
    return data
