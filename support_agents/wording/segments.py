"""Cuts running text into sentences as it arrives, in any of our languages; never emits half of one."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from support_agents import linear
from support_agents.wording.dates import MONTHS

Lead = Literal["", " ", "\n", "\n\n"]

_END = ".!?…"
_CLOSERS = "\"'”’»)"
_STOP = re.compile(rf"[\n{_END}]")  # one class: linear in any engine, and quickest in this one
_ABBREVIATIONS = frozenset(
    [
        "e.g",
        "i.e",
        "z.b",
        "d.h",
        "u.a",
        "o.ä",
        "bzw",
        "ca",
        "approx",
        "mr",
        "mrs",
        "ms",
        "dr",
        "prof",
        "st",
        "vs",
        "etc",
        "inkl",
        "incl",
        "tel",
        "p.ej",
        "ej",
        "sr",
        "sra",
        "p.m",
        "a.m",
        "usw",
        "evtl",
        "ggf",
        "mme",
        "hr",
        "inc",
        "ltd",
    ]
)
_BEFORE_NUMBERS = frozenset({"no", "nr", "n.º", "núm", "art", "abs"})
_ORDINAL_FOLLOWERS = frozenset({*MONTHS["de"].casefold().split(), "werktag", "tag"})
_LIST_ITEM = linear.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+")
_MARKS = linear.compile(r"\s*\[[a-z0-9_.,\s]{1,60}\]\.?")
# What ends with a mark and then a full stop cannot go on.
_MARKED_END = linear.compile(r"\[[a-z0-9_.,\s]{1,60}\]\.$")
_WORD_BEFORE = linear.compile(r"(\S+)$")


@dataclass(frozen=True)
class Segment:
    """A whole sentence, list item or line, with the white space that stood before it."""

    text: str
    lead: Lead


class Segmenter:
    """Feed pieces of text as they stream; take whole sentences as they become certain."""

    def __init__(self) -> None:
        self._buffer = ""
        self._lead: Lead = ""

    def feed(self, piece: str) -> list[Segment]:
        """Add a piece and return the sentences that are now complete beyond doubt."""
        self._buffer += piece
        return self._drain(final=False)

    def finish(self, *, complete: bool) -> list[Segment]:
        """Return what is left; of a text that was cut, only what certainly is a whole sentence."""
        found = self._drain(final=True)
        rest = self._buffer.strip()
        if rest and (complete or _surely_ends(rest)):
            found.append(Segment(rest, self._lead))
        self._buffer = ""
        return found

    def _drain(self, *, final: bool) -> list[Segment]:
        found: list[Segment] = []
        self._take_space()
        while (end := _boundary(self._buffer, final=final)) is not None:
            found.append(Segment(self._buffer[:end].rstrip(), self._lead))
            self._buffer, self._lead = self._buffer[end:], " "
            self._take_space()
        return found

    def _take_space(self) -> None:
        """Move white space from the buffer's start into the lead of the next sentence."""
        rest = self._buffer.lstrip()
        breaks = self._buffer[: len(self._buffer) - len(rest)].count("\n") + self._lead.count("\n")
        self._buffer = rest
        if self._lead:
            leads: tuple[Lead, ...] = (" ", "\n", "\n\n")
            self._lead = leads[min(2, breaks)]


@lru_cache(maxsize=512)  # passages and signatures, of which each run asks again
def split_sentences(text: str) -> tuple[Segment, ...]:
    """Cut a finished text."""
    segmenter = Segmenter()
    return (*segmenter.feed(text), *segmenter.finish(complete=True))


def _surely_ends(text: str) -> bool:
    """Whether a cut text ends with a sentence: `€3.` may have been `€3.95`, and an address may go on."""
    if _MARKED_END.search(text):
        return True
    bare = _MARKS.sub("", text).rstrip(_CLOSERS)
    if not bare or bare[-1] not in _END:
        return False
    last = bare.split()[-1].rstrip(_END)
    return not (last[-1:].isdigit() or "://" in last or "@" in last or last.casefold() in _ABBREVIATIONS)


def _boundary(text: str, *, final: bool) -> int | None:
    """Index just behind the first complete sentence and its marks; None while that is uncertain."""
    item = _LIST_ITEM.match(text)
    position = item.end() if item else len(text) - len(text.lstrip())
    while found := _STOP.search(text, position):
        position = found.start()
        if text[position] == "\n":
            return position
        behind = _behind(text, position)
        if not final and not _certain(text[behind:]):
            return None
        if behind < len(text) and _is_end(text, position, behind):
            return behind
        position = behind
    return None


def _certain(following: str) -> bool:
    """Whether enough has arrived to tell an end from an abbreviation: a line break or a whole next word."""
    word = following.lstrip()
    return "\n" in following[: len(following) - len(word)] or any(c.isspace() for c in word)


def _behind(text: str, position: int) -> int:
    """Index behind the end mark at `position`, closing quotes and any `[marks]`."""
    while position < len(text) and text[position] in _END + _CLOSERS:
        position += 1
    while match := _MARKS.match(text[position:]):
        position += match.end()
    return position


def _is_end(text: str, position: int, behind: int) -> bool:
    following = text[behind:]
    if text[position] != ".":
        return following[:1].isspace()
    if not following[:1].isspace():
        return False
    stripped = following.lstrip()
    if "\n" in following[: len(following) - len(stripped)]:
        return True
    if stripped[:1].islower() or stripped.startswith("["):
        return False
    return not _abbreviated(text[:position], stripped)


def _abbreviated(before: str, following: str) -> bool:
    match = _WORD_BEFORE.search(before)
    word = match.group(1).lstrip("(\"'„“«").lower() if match else ""
    if word in _ABBREVIATIONS or (word in _BEFORE_NUMBERS and following[:1].isdigit()):
        return True
    if len(word) == 1 and word.isalpha():
        return True  # an initial
    next_word = following.split(maxsplit=1)[0].strip(".,;:").lower() if following else ""
    return word.isdigit() and next_word in _ORDINAL_FOLLOWERS
