"""Requests that stand beside another ask (`and could you also …?`), by `further.yaml`; it answers none."""

from functools import cache
from importlib.resources import files

import yaml

from support_agents import linear
from support_agents.wording.gapped import Gapped, plain_words

_SENTENCE = linear.compile(r"[^.!?\n;]+[.!?\n;]*")
_MOST_BETWEEN = 6


def further_requests(text: str) -> tuple[str, ...]:
    """Return the sentences of `text`, in any of our languages, that ask for one thing more after another was asked."""
    asks, besides = _lists()
    found: list[str] = []
    asked = False
    for sentence in _SENTENCE.findall(text):
        plain = plain_words(sentence)
        asking = asks.found_in(plain)
        if asked and asking and besides.found_in(plain):
            found.append(sentence.strip())
        asked = asked or asking or sentence.rstrip().endswith("?")
    return tuple(found)


@cache
def _lists() -> tuple[Gapped, Gapped]:
    data = yaml.load(
        files(__package__ or "").joinpath("further.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
    )
    return Gapped.of(data["asks"], gap=_MOST_BETWEEN), Gapped.of(data["besides"], gap=_MOST_BETWEEN)
