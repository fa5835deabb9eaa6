"""What kind of answer a message asks for – yes or no, a length of time, a price –, by `questions.yaml`; gives none."""

from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

import yaml

from support_agents import linear
from support_agents.wording.gapped import Gapped, plain_words
from support_agents.wording.values import ValueKind, values_in

_MOST_BETWEEN = 6
_FIRST = 5
_WAS = "was"


class Wants(StrEnum):
    """A kind of answer."""

    YES_OR_NO = "yes or no"
    DURATION = "duration"
    COST = "cost"
    HOURS = "hours"


@lru_cache(maxsize=256)
def wanted_by(text: str) -> frozenset[Wants]:
    """Return the kinds of answer that `text`, in any of our languages, asks for."""
    plain = plain_words(text)
    found = {kind for kind in (Wants.DURATION, Wants.COST, Wants.HOURS) if _phrases(kind.value).found_in(plain)}
    return frozenset(found | ({Wants.YES_OR_NO} if asks_whether(text) else set()))


@lru_cache(maxsize=256)
def asks_whether(text: str) -> bool:
    """Whether some question in `text` is to be answered by yes or no."""
    plain = text.casefold().replace("’", "'")
    if _phrases("reported").found_in(plain_words(text)):
        return True
    return any(_is_whether(sentence) for sentence in linear.sentences(plain))


def wants_a_yes(text: str) -> bool:
    """Whether `text` asks if a thing is possible in such a way that its being possible is the answer yes."""
    return asks_whether(text) and not _phrases("turned").found_in(plain_words(text))


def asks_how(text: str) -> bool:
    """Whether some question in `text` is how a thing is done."""
    return _phrases("how").found_in(plain_words(text))


def asks_where_to_report(text: str) -> bool:
    """Whether some question in `text` is where a complaint belongs: that needs no order."""
    return _phrases("reports").found_in(plain_words(text))


def asks_if_done(text: str) -> bool:
    """Whether some question in `text` is if a thing was done already."""
    return _phrases("if_done").found_in(plain_words(text))


def says_now(text: str) -> bool:
    """Whether a reply says that it was done only now."""
    return _phrases("says_now").found_in(plain_words(text))


def polarity_fits(reply: str, text: str) -> bool:
    """Whether a reply that opens with yes or no finds in `text` a question that it answers, after the same thing."""
    first = (linear.sentences(reply) or [""])[0]
    opening, comma, _ = first.casefold().strip().partition(",")
    if not comma or opening not in _data()["polar"]:
        return True
    asked = " ".join(sentence for sentence in linear.sentences(text) if _may_be_closed(sentence))
    if not asked:
        return False
    plain, said = plain_words(asked), plain_words(first)
    needed = [asks for says, asks in _affirmable() if says.found_in(said)]
    return all(asks.found_in(plain) for asks in needed)


def tells_that_refunded(text: str) -> bool:
    """Whether a message says itself that it was told of a refund which was made."""
    sentences = [plain_words(sentence) for sentence in linear.sentences(text)]
    told, done = _knows()
    return any(told.found_in(one) and done.found_in(one) for one in sentences)


def says_refunded(text: str) -> bool:
    """Whether a reply says that a refund was made."""
    return any(says.found_in(plain_words(text)) for says, _ in _affirmable())


def _may_be_closed(sentence: str) -> bool:
    """Whether a sentence may want a yes or a no: by its form, or as a question that no asking word opens."""
    if asks_whether(sentence):
        return True
    words = {*linear.apostrophed_words(sentence.casefold().replace("’", "'"))}
    english = {_WAS} if words & {*_data()["english"]} else set()  # where it is a verb, and asks for no thing
    return sentence.rstrip().endswith("?") and not words & ({*_data()["open"]} - english)


def gives(kind: Wants, text: str) -> bool:
    """Whether a reply holds such an answer; of yes and no only its writer can tell."""
    match kind:
        case Wants.YES_OR_NO:
            return True
        case Wants.DURATION:
            dated = any(value.kind is ValueKind.DATE for value in values_in(text))
            return dated or _phrases("says_duration").found_in(plain_words(text))
        case Wants.HOURS:
            return any(value.kind is ValueKind.TIME for value in values_in(text))
        case Wants.COST:
            priced = any(value.kind is ValueKind.AMOUNT for value in values_in(text))
            return priced or _phrases("says_free").found_in(plain_words(text))


def affirmed(text: str, language: str) -> str:
    """Return a sentence as the answer yes: `You can …` becomes `Yes, you can …`."""
    data = _data()
    first = (text.split() or [""])[0]
    kept = first in data["keeps_its_capital"] or (first.isupper() and len(first) > 1) or not first[:1].isalpha()
    return f"{data['affirmation'][language]}, {text if kept else text[:1].lower() + text[1:]}"


def _is_whether(sentence: str) -> bool:
    clauses = [clause for clause in _clauses(sentence) if clause]
    closed = [clause for clause in clauses if not {*clause} & {*_data()["open"]}]
    if not sentence.rstrip().endswith("?"):
        return bool(clauses) and clauses[0] in closed and _inverted(clauses[0][:2])
    return (len(closed) == len(clauses) and _by_mark(sentence)) or any(_inverted(clause) for clause in closed)


def _clauses(sentence: str) -> list[list[str]]:
    """The words of a sentence, cut at commas and joining words."""
    clauses: list[list[str]] = []
    for part in sentence.split(","):
        clauses.append([])
        for word in linear.apostrophed_words(part):
            if word in _data()["joints"]:
                clauses.append([])
            else:
                clauses[-1].append(word)
    return clauses


def _by_mark(sentence: str) -> bool:
    """Whether the sentence is in a language in which the mark alone makes a question of it."""
    return "¿" in sentence or _FRENCH.search(sentence) is not None


_FRENCH = linear.compile(
    r"(?:^|[^\pL])(?:je|tu|nous|vous|ils?|elles?|est-ce|puis-je|peut-on|on|mes|ma|mon|la|le|les)(?:[^\pL]|$)"
)


def _inverted(clause: list[str]) -> bool:
    """Whether a clause begins with a verb and then whom it is about, words about nobody before them left out."""
    for one in _data()["whether"].values():
        for verb, about in pairwise(clause[:_FIRST]):
            if verb in one["verbs"] and about in one["subjects"]:
                return True
            if verb in one["subjects"]:
                break
    return False


@cache
def _phrases(name: str) -> Gapped:
    return Gapped.of(_data()[name], gap=_MOST_BETWEEN)


@cache
def _knows() -> tuple[Gapped, Gapped]:
    """What a message says that was told of a refund, and what that it was made."""
    listed = _data()["knows"]
    return Gapped.of(listed["told"], gap=_MOST_BETWEEN), Gapped.of(listed["done"], gap=_MOST_BETWEEN)


@cache
def _affirmable() -> tuple[tuple[Gapped, Gapped], ...]:
    """What a reply may say, each with what a question after it has."""
    pairs = ((one["says"], one["asks"]) for one in _data()["affirms"])
    return tuple((Gapped.of(says, gap=_MOST_BETWEEN), Gapped.of(asks, gap=_MOST_BETWEEN)) for says, asks in pairs)


@cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = yaml.load(
        files(__package__ or "").joinpath("questions.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
    )
    return data
