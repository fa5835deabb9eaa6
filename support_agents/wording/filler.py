"""Words that tell a story and ask for nothing, and words that decide a rule, each from its list; it weighs none."""

from functools import cache
from importlib.resources import files

import yaml


def filler_of(language: str) -> frozenset[str]:
    """The words of `language` that a reply need not account for; none for a language without a list."""
    return frozenset(_lists("filler.yaml").get(language, "").split())


def deciding_of(language: str) -> frozenset[str]:
    """The words of `language` that a reply must account for wherever they stand; none without a list."""
    return frozenset(_lists("deciding.yaml").get(language, "").split())


@cache
def _lists(name: str) -> dict[str, str]:
    lists: dict[str, str] = yaml.load(
        files(__package__ or "").joinpath(name).read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
    )
    return lists
