"""The sentences of passages that could stand in a reply, with what each depends on; it changes no word of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from support_agents import linear
from support_agents.composing.rows import Row, read_row
from support_agents.domain.knowledge import Passage
from support_agents.wording.letters import count_words
from support_agents.wording.segments import split_sentences
from support_agents.wording.traits import Trait, has

_ITEM = linear.compile(r"^(?:[-*•]|\d{1,2}[.)])\s+")
_NUMBERED = linear.compile(r"^(\d{1,2})[.)]\s+")
_MARK = linear.compile(r"\[[^\]]{0,40}\]")
_END = (".", "!", "?", "…", '."', ".)", ".”")
_LONGEST_SENTENCE, _LONGEST_LIST, _SHORTEST = 45, 68, 3
_FEWEST_STEPS = 3


@dataclass(frozen=True)
class Candidate:
    """One sentence, table row, or list with its lead-in, of passage `passage` (index) at `position` in it."""

    passage: int
    position: int
    text: str
    lines: tuple[str, ...]
    language: str
    article: str
    title: str
    heading: str
    needs_previous: bool = False
    row: Row | None = None

    @property
    def compared(self) -> tuple[str, ...]:
        """The texts that similarity looks at: a list or a row says little without its heading, a lead-in says most."""
        if self.row or self.is_listed:
            whole = f"{self.heading}: {self.text}"
            return (whole, f"{self.heading}: {self.lines[0]}") if self.lines[0].endswith(":") else (whole,)
        return (self.text,)

    @property
    def is_listed(self) -> bool:
        """Whether it stands on lines of its own."""
        return len(self.lines) > 1 or bool(_ITEM.match(self.text))

    @property
    def is_item(self) -> bool:
        """Whether it is one item of a list without the rest."""
        return len(self.lines) == 1 and self.is_listed

    @property
    def words(self) -> int:
        """Length as a reader counts it."""
        return count_words(self.text)


def candidates_of(passage: Passage, index: int) -> tuple[Candidate, ...]:
    """Return what of `passage` may be quoted, in source order; what cannot stand in a reply is left out."""
    return tuple(replace(candidate, passage=index) for candidate in _candidates(passage))


@lru_cache(maxsize=4_096)
def _candidates(passage: Passage) -> tuple[Candidate, ...]:
    units = [segment.text for segment in split_sentences(passage.text)]
    made = (_candidate(passage, at, lines) for at, lines in enumerate(_groups(units)))
    return tuple(candidate for candidate in made if candidate is not None)


def _groups(units: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Join a lead-in with its list and the steps of one list; whole sentences stand alone, bulleted ones too."""
    group: list[str] = []
    for unit in units:
        is_item = bool(_ITEM.match(unit))
        joins = is_item and bool(group) and (group[0].endswith(":") or _continues(group[-1], unit))
        if group and not joins:
            yield tuple(group)
            group = []
        group.append(unit)
    if group:
        yield tuple(group)


def _continues(last: str, unit: str) -> bool:
    """Whether `unit` is the step after `last`, or a fragment of the same bulleted list."""
    before, now = _NUMBERED.match(last), _NUMBERED.match(unit)
    if before and now:
        return int(now.group(1)) == int(before.group(1)) + 1
    return not before and not now and bool(_ITEM.match(last)) and not last.endswith(_END)


def _candidate(passage: Passage, position: int, lines: tuple[str, ...]) -> Candidate | None:
    row = read_row(lines[0]) if len(lines) == 1 else None
    text = "\n".join(lines)
    if not (row or _quotable(lines, text)) or _unfit(text, passage.language):
        return None
    dangling = has(Trait.DANGLING_START, lines[0], passage.language)
    return Candidate(
        passage=0,
        position=position,
        text=text,
        lines=(text,) if row else lines,
        language=passage.language,
        article=passage.article_id,
        title=passage.title,
        heading=passage.heading,
        needs_previous=not row and (dangling or has(Trait.DANGLING_INSIDE, lines[0], passage.language)),
        row=row,
    )


def _unfit(text: str, language: str) -> bool:
    """Whether the text points elsewhere on its page, speaks about customers, or carries marks like ours."""
    return bool(_MARK.search(text)) or has(Trait.POINTER, text, language) or has(Trait.THIRD_PERSON, text, language)


def _quotable(lines: tuple[str, ...], text: str) -> bool:
    steps = sum(bool(_NUMBERED.match(line)) for line in lines)
    if steps and (steps < _FEWEST_STEPS or steps + lines[0].endswith(":") < len(lines)):
        return False  # steps with other items between them, or only the first one: the rest is elsewhere
    longest = _LONGEST_LIST if len(lines) > 1 else _LONGEST_SENTENCE
    if not _SHORTEST <= count_words(text) <= longest or not text.endswith(_END):
        return False  # too short or long to be sent, or it goes on in another passage
    first = _NUMBERED.match(lines[0])
    if first is not None and first.group(1) != "1":
        return False
    if len(lines) == 1 and lines[0].endswith(":"):
        return False
    return lines[0].endswith(":") or all(_stands_alone(line) for line in lines)


def _stands_alone(line: str) -> bool:
    """Whether a line is a sentence, not a fragment under a heading."""
    words = _ITEM.sub("", line)
    is_item = words != line
    return not is_item or (words[:1].isupper() and words.endswith(_END))
