"""Questions that ask for nothing of their own (`what happens now?`), from `follow_ups.yaml`; it answers none."""

from functools import cache
from importlib.resources import files

import yaml

from support_agents import linear


def points_back(ask: str) -> bool:
    """Whether `ask` is answered by whatever answers the words before it."""
    questions, small = _lists()
    words = (word for word in linear.hyphened_words(ask.casefold().replace("’", "'")) if word not in small)
    return " ".join(words) in questions


@cache
def _lists() -> tuple[frozenset[str], frozenset[str]]:
    lists = yaml.load(
        files(__package__ or "").joinpath("follow_ups.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
    )
    return frozenset(lists["questions"]), frozenset(lists["small"])
