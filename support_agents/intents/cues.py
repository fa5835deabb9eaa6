"""Phrases that tell what a clause does, compiled from `cues.yaml`; they never decide what it is about."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from support_agents import linear

PATH = Path(__file__).with_name("cues.yaml")
_DEFAULT = "en"


@dataclass(frozen=True)
class Cues:
    """Linear-time patterns over normalised text (` words with spaces around `)."""

    question: Any
    request: Any
    order: Any
    more: Any
    joint: Any
    condition: Any
    courtesy: Any
    wish: Any
    refers: Any
    general: Any


@cache
def cues(language: str) -> Cues:
    """Return the patterns of a language together with the English ones; English alone for an unlisted one."""
    lists = _lists()
    chosen = [lists[_DEFAULT], *([lists[language]] if language in lists and language != _DEFAULT else [])]
    phrases = {name: _alternatives([one[name] for one in chosen]) for name in lists[_DEFAULT]}
    start = {name: linear.compile(rf"^ (?:{phrases[name]}) ") for name in phrases}
    return Cues(
        **{**start, **{name: linear.compile(rf" (?:{phrases[name]}) ") for name in ("request", "general", "refers")}}
    )


@cache
def _lists() -> dict[str, dict[str, str]]:
    content = yaml.load(PATH.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return {language: entry for language, entry in content.items() if isinstance(entry, dict)}


def _alternatives(texts: list[str]) -> str:
    """Join phrases; those between bars are taken whole, a list without bars is of single words."""
    found = dict.fromkeys(phrase for text in texts for phrase in _phrases(text))
    return "|".join(sorted(map(linear.escape, found), key=len, reverse=True))


def _phrases(text: str) -> list[str]:
    return [phrase.strip() for phrase in text.split("|")] if "|" in text else text.split()
