"""Cuts a message into clauses with their places and says what each does: ask, courtesy, general plea or statement."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from support_agents import linear
from support_agents.intents.cues import Cues, cues
from support_agents.intents.features import normalised

LONGEST_TEXT = 8_000  # characters; further ones say nothing that a reply could answer at once
MOST_CLAUSES = 80
_LONGEST_WISH = 9  # words
_LONGEST_GENERAL = 9
_LONGEST_NAME = 3  # words after a greeting or below a message
_LONGEST_REFERENCE = 8
_ENOUGH = 200  # characters of a part that are looked at to judge a cut
_FEWEST_WORDS = 3  # on both sides of a cut inside a sentence
_FEWEST_COMMAND_WORDS = 2  # `cancel one`
_WRAPPED_LINE = 55  # characters; a line this long that ends without a mark goes on in the next

_END = linear.compile(r"[.!?…]+[\"'”’»)\]]*(?:\s+|$)|;\s+|\s*\n\s*")
_BULLET = linear.compile(r"^\s*(?:[-*•–]|\(?\d{1,2}[.)]|[a-e]\))\s+")
_AND = r"and|but|or|und|aber|oder|y|pero|et|mais|e|ed|ma|en|maar|mas|oraz|ale|i|a"
_JOINT = linear.compile(rf"(?i)[,:]\s|\s[-–]\s|\?\s|\s(?:{_AND})\s")
_OTHER = linear.compile(
    r"\b(?:other|others|second|andere|anderen|andern|zweite|zweiten|otro|otra|segundo|segunda|autre|autres|deuxieme|altro"
    r"|altra|seconda|ander|tweede|outro|outra|drugi|druga|drugie|drugiego)\b"
)
_LEADING_AND = linear.compile(rf"(?i)^(?:{_AND})\s")
_ABBREVIATIONS = frozenset(
    [
        *("no", "nr", "mr", "mrs", "ms", "dr", "st", "vs", "approx", "etc", "e.g", "i.e", "z.b", "d.h", "ca", "bzw"),
        *("inkl", "ggf", "usw", "sr", "sra", "núm", "p.ej", "ej", "n.º", "n", "art", "tel", "hr", "fr", "prof", "max"),
    ]
)


class Does(StrEnum):
    """What a clause does."""

    ASK = "ask"
    GENERAL = "general"
    COURTESY = "courtesy"
    STATEMENT = "statement"


@dataclass(frozen=True)
class Clause:
    """The words at `start:end` of the message; `further` when they open another matter, `refers` to what was said."""

    text: str
    start: int
    end: int
    does: Does
    further: bool = False
    listed: bool = False
    refers: bool = False


@lru_cache(maxsize=256)  # intent, macros and retrieval each cut the same message
def clauses(text: str, language: str) -> tuple[Clause, ...]:
    """Return the clauses of a message in order; gaps between them are white space, marks and joining words."""
    patterns = cues(language)
    found: list[Clause] = []
    for start, end in _sentences(text[:LONGEST_TEXT]):
        bullet = _BULLET.search(text[start:end])
        parts = _parts(text, start + (bullet.end() if bullet else 0), end, patterns)
        found += (_clause(text, *span, patterns, listed=bool(bullet)) for span in parts)
        if len(found) >= MOST_CLAUSES:
            break
    return tuple(_without_signature(found[:MOST_CLAUSES]))


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for match in _END.finditer(text):
        if _ends(text, start, match.start(), match.group()):
            yield from _trimmed(text, start, match.end())
            start = match.end()
    yield from _trimmed(text, start, len(text))


def _ends(text: str, start: int, at: int, mark: str) -> bool:
    """Whether a mark or line break at `at` ends the sentence that began at `start`."""
    following = text[at + len(mark) : at + len(mark) + 1]
    if "\n" in mark:
        line = text[max(start, text.rfind("\n", start, at) + 1) : at]
        return not (len(line) >= _WRAPPED_LINE and following.islower() and mark.count("\n") == 1)
    if mark[0] != ".":
        return True
    last = text[max(start, at - 12) : at].split()[-1:] or [""]
    word = last[0].lstrip("(\"'").casefold()
    ordinal = word.isdigit() and (len(word) <= len("31") and following.isalpha())
    goes_on = following.islower() and len(word) <= len("abbr")
    return not (word in _ABBREVIATIONS or ordinal or goes_on)


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    piece = text[start:end]
    if any(c.isalnum() for c in piece):
        start += len(piece) - len(piece.lstrip())
        yield start, start + len(piece.strip())


def _parts(text: str, start: int, end: int, patterns: Cues) -> Iterator[tuple[int, int]]:
    """Cut a sentence after a greeting, and where another ask begins after a comma or a joining word."""
    at = start
    for match in _JOINT.finditer(text[start:end]):
        cut, after = start + match.start(), start + match.end()
        left, right = text[at:cut][:_ENOUGH], text[after : min(end, after + _ENOUGH)]
        if _is_preface(left, match.group(), patterns):
            yield at, cut
            at = after
        elif leading := _opens_ask(left, right, patterns) or _commands_apart(left, right, patterns):
            yield at, cut + (match.group()[0] == "?")
            at = after + leading - 1
    yield at, end


def _is_preface(left: str, mark: str, patterns: Cues) -> bool:
    """Whether a greeting ends at a comma or colon, or `two questions` at a colon."""
    plain = normalised(left)
    announces = mark[0] == ":" and len(plain.split()) <= _LONGEST_GENERAL and patterns.general.search(plain)
    return bool(announces) or (mark[0] in ",:" and _is_courtesy(plain, patterns))


def _opens_ask(left: str, right: str, patterns: Cues) -> int:
    """Return 1 and the length of a leading `and` where `right` asks for something of its own, else 0."""
    joining = _LEADING_AND.search(right)
    skipped = joining.end() if joining else 0
    before, after = normalised(left), normalised(right[skipped:])
    enough = len(before.split()) >= _FEWEST_WORDS and len(after.split()) >= _FEWEST_WORDS
    opens = enough and patterns.joint.search(after) and not patterns.condition.search(before)
    return skipped + 1 if opens else 0


def _commands_apart(left: str, right: str, patterns: Cues) -> int:
    """Return as `_opens_ask` where both sides tell us to do something, each with another thing.

    `cancel HW-1 and refund HW-2` and `cancel one and refund the other` are two asks; `cancel and refund it` is one.
    """
    joining = _LEADING_AND.search(right)
    skipped = joining.end() if joining else 0
    before, after = normalised(left), normalised(right[skipped:])
    enough = all(len(side.split()) >= _FEWEST_COMMAND_WORDS for side in (before, after))
    told = all(patterns.order.search(side) or patterns.request.search(side) for side in (before, after))
    apart = ("0" in before and "0" in after) or _OTHER.search(after)  # `normalised` writes every digit as 0
    return skipped + 1 if enough and told and apart else 0


def _clause(text: str, start: int, end: int, patterns: Cues, *, listed: bool) -> Clause:
    piece = text[start:end]
    plain = normalised(piece)
    more = patterns.more.search(plain)
    return Clause(
        piece,
        start,
        end,
        _does(piece, plain, plain[more.end() - 1 :] if more else plain, patterns),
        further=bool(more),
        listed=listed,
        refers=len(plain.split()) <= _LONGEST_REFERENCE and bool(patterns.refers.search(plain)),
    )


def _does(piece: str, plain: str, opening: str, patterns: Cues) -> Does:
    """`opening` is `plain` without the words that announce a further matter."""
    words = len(plain.split())
    question = piece.rstrip("\"'”’»)] ").endswith("?")
    if words <= _LONGEST_GENERAL and patterns.general.search(plain):
        return Does.GENERAL
    if not question and _is_courtesy(plain, patterns):
        return Does.COURTESY
    cued = patterns.question.search(opening) or patterns.order.search(opening) or patterns.request.search(plain)
    return Does.ASK if question or (cued and words > 1) else Does.STATEMENT


def _is_courtesy(plain: str, patterns: Cues) -> bool:
    """Whether a clause is a greeting, a closing, thanks or a good wish, and nothing else."""
    if "0" in plain:  # as `normalised` writes every digit
        return False
    if patterns.wish.search(plain) and len(plain.split()) <= _LONGEST_WISH:
        return not patterns.request.search(patterns.wish.sub(" ", plain))
    greeting = patterns.courtesy.search(plain)
    return bool(greeting) and len(plain[greeting.end() :].split()) <= _LONGEST_NAME


def _without_signature(found: list[Clause]) -> list[Clause]:
    """Treat a short line right after a courtesy that closes the message as a name, not as something said."""
    kept: list[Clause] = []
    for clause in found:
        said = any(one.does is not Does.COURTESY for one in kept)
        closing = said and kept[-1].does is Does.COURTESY
        name = clause.does is Does.STATEMENT and len(clause.text.split()) <= _LONGEST_NAME
        kept.append(replace(clause, does=Does.COURTESY) if closing and name else clause)
    return kept
