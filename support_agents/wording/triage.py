"""Messages that a person must answer, by the rules of `triage.yaml`; it sees words and never what a model thinks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import yaml

from support_agents import linear

_SENTENCE = linear.compile(r"[.!?\n;]+")
_LONGEST_TEXT = 20_000


@dataclass(frozen=True)
class Triaged:
    """Why a person must answer: the kind of case, and the words that tell."""

    kind: str
    reason: str


@dataclass(frozen=True)
class _Rule:
    """Parts that one sentence must all have, each in one of its forms; `unless` forms anywhere in it undo it.

    `sets` are its parts again, for a quick look at whether they are there.
    """

    parts: tuple[tuple["_Form", ...], ...]
    unless: tuple["_Form", ...]
    sets: tuple[frozenset["_Form"], ...]


class _Form(NamedTuple):
    """Words as they are shown, and as they stand in a sentence; `*` at their end leaves the last word's ending open."""

    said: str
    stands: str


def triage(text: str) -> tuple[Triaged, ...]:
    """Return the kinds of case that a message belongs to, most serious first."""
    sentences = [_plain(part) for part in _SENTENCE.split(_joined(text[:_LONGEST_TEXT])) if part.strip()]
    return tuple(_found(sentences))


def _found(sentences: Sequence[str]) -> Iterator[Triaged]:
    whole = "".join(sentences)
    first = _by_first_word()
    possible_forms = (form for word in {"", *whole.split()} & first.keys() for form in first[word])
    stand = {form for form in possible_forms if form.stands in whole}
    for kind, (reason, rules) in _kinds().items():
        possible = [rule for rule in rules if all(not stand.isdisjoint(part) for part in rule.sets)]
        words = next((said for rule in possible for one in sentences if (said := _matches(rule, one))), "")
        if words:
            yield Triaged(kind, f"{reason} (“{words}”)")


def _matches(rule: _Rule, sentence: str) -> str:
    """The forms that were found, or nothing."""
    if any(form.stands in sentence for form in rule.unless):
        return ""
    found = [next((form.said for form in part if form.stands in sentence), "") for part in rule.parts]
    return " … ".join(found) if all(found) else ""


def _plain(text: str) -> str:
    return f" {' '.join(linear.words(text))} "


def _joined(text: str) -> str:
    """Fold case and close up apostrophes, so that `don't` is one word."""
    return text.casefold().replace("’", "'").replace("'", "")


@cache
def _kinds() -> Mapping[str, tuple[str, tuple[_Rule, ...]]]:
    data: Mapping[str, Any] = yaml.load(
        files(__package__ or "").joinpath("triage.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
    )
    return {kind: (str(one["reason"]), tuple(map(_rule, one["rules"]))) for kind, one in data.items()}


@cache
def _by_first_word() -> Mapping[str, tuple[_Form, ...]]:
    """All forms by their first word, for only those are looked for whose first word is there; by "" if it is open."""
    found: dict[str, dict[_Form, None]] = {}
    for _, rules in _kinds().values():
        for form in (form for rule in rules for part in rule.parts for form in part):
            _, first, *rest = form.stands.split(" ")
            found.setdefault(first if rest else "", {})[form] = None
    return {first: tuple(forms) for first, forms in found.items()}


def _rule(item: object) -> _Rule:
    """A rule is a text with `+` between parts and `|` between forms, or a mapping with `say` and `unless`."""
    said, unless = (item["say"], item.get("unless", "")) if isinstance(item, Mapping) else (str(item), "")
    parts = tuple(_forms(part) for part in str(said).split("+"))
    return _Rule(parts, _forms(str(unless)), tuple(map(frozenset, parts)))


def _forms(part: str) -> tuple[_Form, ...]:
    return tuple(_form(form) for form in part.split("|") if form.strip())


def _form(form: str) -> _Form:
    folded = form.strip().casefold().replace("'", "")
    words = " ".join(linear.words(folded))
    return _Form(words, f" {words}" if folded.endswith("*") else f" {words} ")
