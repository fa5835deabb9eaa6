"""Words that tell a story and ask for nothing, from `filler.yaml`; it never decides what a message means."""

from functools import cache
from importlib.resources import files

import yaml


@cache
def filler_of(language: str) -> frozenset[str]:
    """The words of `language` that a reply need not account for; none for a language without a list."""
    lists = yaml.load(
        files(__package__ or "").joinpath("filler.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
    )
    return frozenset(str(lists.get(language, "")).split())
