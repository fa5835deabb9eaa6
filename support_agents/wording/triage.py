"""Messages that a person must answer, by the rules of `triage*.yaml`; it sees words and never what a model thinks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import yaml

from support_agents import linear

_SENTENCE = linear.compile(r"[.!?\n;]+")
_LONGEST_TEXT = 20_000
_STEM = 3  # letters by which a word with an open end is looked up


@dataclass(frozen=True)
class Triaged:
    """Why a person must answer: the kind of case, and the words that tell."""

    kind: str
    reason: str


@dataclass(frozen=True, eq=False)  # each is itself alone: a set of them asks for no more
class _Rule:
    """Parts that one sentence must all have, each in one of its forms, or a pattern; `unless` forms undo it.

    `sets` are its parts again, for a quick look at whether they are there; `words` is what a pattern needs.
    """

    parts: tuple[tuple["_Form", ...], ...]
    unless: tuple["_Form", ...]
    sets: tuple[frozenset["_Form"], ...] = ()
    pattern: linear.Pattern | None = None
    words: tuple["_Words", ...] = ()


@dataclass(frozen=True)
class _Words:
    """A list of a pattern: words, and beginnings of words behind a space; a text must hold one to be searched."""

    whole: frozenset[str]
    begin: tuple[str, ...]

    def any_in(self, plain: str, words: frozenset[str]) -> bool:
        return not self.whole.isdisjoint(words) or any(one in plain for one in self.begin)


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
    words = frozenset(whole.split())
    first = _by_first_word()
    begun_words = {"", *words, *(f"{word[:_STEM]}*" for word in words)} & first.keys()
    stand = {form for word in begun_words for form in first[word] if form.stands in whole}
    begun = {rule for form in stand for rule in _by_form().get(form, ())}
    for kind, (reason, rules) in _kinds().items():
        asked = (rule for rule in rules if rule.pattern is not None or rule in begun)
        possible = [rule for rule in asked if _may_match(rule, stand, whole, words)]
        said = next((told for rule in possible for one in sentences if (told := _matches(rule, one))), "")
        if said:
            yield Triaged(kind, f"{reason} (“{said}”)")


def _may_match(rule: _Rule, stand: set[_Form], whole: str, words: frozenset[str]) -> bool:
    """Ask what is quick to ask of the whole message, so that few rules are asked of each sentence."""
    if rule.pattern is not None:
        return all(listed.any_in(whole, words) for listed in rule.words)
    return all(not stand.isdisjoint(part) for part in rule.sets)


def _matches(rule: _Rule, sentence: str) -> str:
    """The forms that were found, or nothing."""
    if any(form.stands in sentence for form in rule.unless):
        return ""
    if rule.pattern is not None:
        match = rule.pattern.search(sentence)
        return match.group().strip() if match else ""
    found = [next((form.said for form in part if form.stands in sentence), "") for part in rule.parts]
    return " … ".join(found) if all(found) else ""


def _plain(text: str) -> str:
    return f" {' '.join(linear.words(text))} "


def _joined(text: str) -> str:
    """Fold case and close up apostrophes, so that `don't` is one word."""
    return text.casefold().replace("’", "'").replace("'", "")


@cache
def _kinds() -> Mapping[str, tuple[str, tuple[_Rule, ...]]]:
    rules, body = (_read(name) for name in ("triage.yaml", "triage_body.yaml"))
    words = {name: _words(listed) for name, listed in body.pop("words").items()}
    for kind, more in body.items():
        rules[kind]["rules"] += more
    return {
        kind: (str(one["reason"]), tuple(_rule(each, words) for each in one["rules"])) for kind, one in rules.items()
    }


@cache
def _by_first_word() -> Mapping[str, tuple[_Form, ...]]:
    """All forms by their first word, or how it begins if it is open: only those are looked for that may be there."""
    found: dict[str, dict[_Form, None]] = {}
    for _, rules in _kinds().values():
        for form in (form for rule in rules for part in rule.parts for form in part):
            _, first, *rest = form.stands.split(" ")
            begins = f"{first[:_STEM]}*" if len(first) >= _STEM else ""
            found.setdefault(first if rest else begins, {})[form] = None
    return {first: tuple(forms) for first, forms in found.items()}


@cache
def _by_form() -> Mapping[_Form, tuple[_Rule, ...]]:
    """The rules by the forms of their first part, one of which must stand before more of a rule is looked at."""
    found: dict[_Form, list[_Rule]] = {}
    for rule in (rule for _, rules in _kinds().values() for rule in rules if rule.parts):
        for form in rule.sets[0]:
            found.setdefault(form, []).append(rule)
    return {form: tuple(rules) for form, rules in found.items()}


def _read(name: str) -> dict[str, Any]:
    text = files(__package__ or "").joinpath(name).read_text(encoding="utf-8")
    data: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    return data


def _words(listed: str) -> tuple[str, ...]:
    return tuple(_joined(word.strip().casefold()) for word in listed.split("|"))


def _required(words: Sequence[str]) -> _Words:
    """Of words in a row the first is looked for."""
    begin = tuple(f" {word.rstrip('*')}" for word in words if word.endswith("*"))
    return _Words(frozenset(word.split()[0] for word in words if not word.endswith("*")), begin)


def _rule(item: object, words: Mapping[str, tuple[str, ...]]) -> _Rule:
    """Read a text with `+` between parts and `|` between forms, or a mapping with `say` or `pattern`, and `unless`."""
    said, unless = (item.get("say", ""), item.get("unless", "")) if isinstance(item, Mapping) else (str(item), "")
    if isinstance(item, Mapping) and "pattern" in item:
        return _searched(str(item["pattern"]), _forms(str(unless)), words)
    parts = tuple(_forms(part) for part in str(said).split("+"))
    return _Rule(parts, _forms(str(unless)), tuple(map(frozenset, parts)))


def _searched(pattern: str, unless: tuple[_Form, ...], words: Mapping[str, tuple[str, ...]]) -> _Rule:
    """Insert the lists into a pattern; a brace that names none is a count."""
    used = [name for name in words if f"{{{name}}}" in pattern]
    for name in used:
        alternatives = (
            linear.escape(word.rstrip("*")) + ("[^ ]*" if word.endswith("*") else "") for word in words[name]
        )
        pattern = pattern.replace(f"{{{name}}}", f"(?:{'|'.join(alternatives)})")
    return _Rule((), unless, (), linear.compile(f" {pattern} "), tuple(_required(words[name]) for name in used))


def _forms(part: str) -> tuple[_Form, ...]:
    return tuple(_form(form) for form in part.split("|") if form.strip())


def _form(form: str) -> _Form:
    folded = form.strip().casefold().replace("'", "")
    words = " ".join(linear.words(folded))
    return _Form(words, f" {words}" if folded.endswith("*") else f" {words} ")
