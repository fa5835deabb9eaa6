"""Phrases with gaps, looked for in the words of a text (`only … in the box`, `damag*`); it knows no language."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from support_agents import linear

_GAP, _OPEN = " … ", "*"
_BEFORE = 2


@lru_cache(maxsize=128)  # many rules look at the same message
def plain_words(text: str) -> str:
    """The words of a text in small letters, one space around each."""
    return f" {' '.join(linear.hyphened_words(text.casefold().replace('’', chr(39))))} "


@lru_cache(maxsize=128)
def _distinct(plain: str) -> frozenset[str]:
    return frozenset(plain.split())


@dataclass(frozen=True)
class Gapped:
    """Phrases of which any will do: ` … ` stands for up to `gap` words, a `*` leaves the end of a word open.

    Those without a gap stand in `by_word` by their first word, if it is whole, so that only the phrases are looked for
    whose first word a text has; in `whole` if it is not.
    """

    whole: tuple[str, ...]
    by_word: Mapping[str, tuple[str, ...]]
    parted: tuple[tuple[str, ...], ...]
    gap: int

    @classmethod
    def of(cls, phrases: Iterable[str], *, gap: int) -> "Gapped":
        """Sort phrases by whether they have a gap."""
        folded = [str(phrase).casefold().strip() for phrase in phrases]
        parted = tuple(tuple(map(_bordered, one.split(_GAP))) for one in folded if _GAP in one)
        whole = [_bordered(one) for one in folded if one and _GAP not in one]
        opening = {one: one.split(" ")[1] for one in whole if one.count(" ") > 1}
        by_word: dict[str, tuple[str, ...]] = {}
        for phrase, word in opening.items():
            by_word[word] = (*by_word.get(word, ()), phrase)
        return cls(tuple(one for one in whole if one not in opening), by_word, parted, gap)

    def found_in(self, plain: str, nots: frozenset[str] = frozenset()) -> bool:
        """Whether one of them stands in `plain`, a text as `plain_words` makes it, not right after one of `nots`."""
        possible = (phrase for word in _distinct(plain) & self.by_word.keys() for phrase in self.by_word[word])
        return any(
            phrase in plain and _said(phrase, plain, nots) for phrases in (possible, self.whole) for phrase in phrases
        ) or any(self._follows(parts, plain) for parts in self.parted)

    def _follows(self, parts: tuple[str, ...], plain: str) -> bool:
        at = plain.find(parts[0])
        while at >= 0:
            if self._rest(parts[1:], plain, at + len(parts[0])):
                return True
            at = plain.find(parts[0], at + 1)
        return False

    def _rest(self, parts: tuple[str, ...], plain: str, end: int) -> bool:
        for part in parts:
            at = plain.find(part, end - 1)
            if at < 0 or plain.count(" ", end, at) > self.gap:
                return False
            end = at + len(part)
        return True


def _said(phrase: str, plain: str, nots: frozenset[str]) -> bool:
    at = plain.find(phrase)
    while at >= 0:
        if not nots & {*plain[:at].split()[-_BEFORE:]}:
            return True
        at = plain.find(phrase, at + 1)
    return False


def _bordered(phrase: str) -> str:
    return f" {phrase.removesuffix(_OPEN)}" + ("" if phrase.endswith(_OPEN) else " ")
