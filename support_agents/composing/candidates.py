"""The sentences of passages that could stand in a reply, with what each depends on; it changes no word of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import re2

from support_agents.domain.knowledge import Passage
from support_agents.wording.segments import split_sentences
from support_agents.wording.traits import Trait, has

_ITEM = re2.compile(r"^(?:[-*•]|\d{1,2}[.)])\s+")
_NUMBERED = re2.compile(r"^\d{1,2}[.)]\s+")
_ROW = re2.compile(r"^[^:;]{1,60}: [^;]{1,200}; [^:;]{1,60}: ")
_MARK = re2.compile(r"\[[^\]]{0,40}\]")
_END = (".", "!", "?", "…", '."', ".)", ".”")
_LONGEST_WORDS = 45
_SHORTEST_WORDS = 3


@dataclass(frozen=True)
class Candidate:
    """One sentence, or a list with its lead-in, of passage `passage` (index) at `position` in it."""

    passage: int
    position: int
    text: str
    lines: tuple[str, ...]
    language: str
    heading: str
    needs_previous: bool = False

    @property
    def words(self) -> int:
        """Length as a reader counts it."""
        return len(self.text.split())


def candidates_of(passage: Passage, index: int) -> tuple[Candidate, ...]:
    """Return what of `passage` may be quoted, in source order; what cannot stand in a reply is left out."""
    return tuple(replace(candidate, passage=index) for candidate in _candidates(passage))


@lru_cache(maxsize=4_096)
def _candidates(passage: Passage) -> tuple[Candidate, ...]:
    found = []
    for position, lines in enumerate(_groups([s.text for s in split_sentences(passage.text)])):
        candidate = _candidate(passage, position, lines)
        if candidate is not None:
            found.append(candidate)
    return tuple(found)


def _groups(units: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Join a lead-in with its list, and the items of one list; any other sentence stands alone."""
    group: list[str] = []
    for unit in units:
        is_item = bool(_ITEM.match(unit))
        if group and not is_item:
            yield tuple(group)
            group = []
        group.append(unit)
        if not is_item and not unit.endswith(":"):
            yield tuple(group)
            group = []
    if group:
        yield tuple(group)


def _candidate(passage: Passage, position: int, lines: tuple[str, ...]) -> Candidate | None:
    text = "\n".join(lines)
    if not _quotable(lines, text, passage.language):
        return None
    dangling = has(Trait.DANGLING_START, lines[0], passage.language)
    return Candidate(
        passage=0,
        position=position,
        text=text,
        lines=lines,
        language=passage.language,
        heading=passage.heading,
        needs_previous=dangling or has(Trait.DANGLING_INSIDE, lines[0], passage.language),
    )


def _quotable(lines: tuple[str, ...], text: str, language: str) -> bool:
    words = len(text.split())
    if not _SHORTEST_WORDS <= words <= _LONGEST_WORDS or _MARK.search(text) or _ROW.match(text):
        return False
    if any(has(trait, text, language) for trait in (Trait.POINTER, Trait.THIRD_PERSON)):
        return False
    if len(lines) == 1:
        return not _ITEM.match(text) and text.endswith(_END)
    if lines[0].endswith(":"):
        return True
    return all(_stands_alone(line) for line in lines)


def _stands_alone(item: str) -> bool:
    """Whether a list item without a lead-in is an instruction or a sentence, not a fragment."""
    words = _ITEM.sub("", item)
    return words[:1].isupper() and words.endswith(_END) and (bool(_NUMBERED.match(item)) or len(words.split()) > _SHORTEST_WORDS)
