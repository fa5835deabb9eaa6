"""A text as what it is compared by – words, names, numbers, sentences – read once; it compares nothing."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import log

from support_agents import linear
from support_agents.screening.terms import terms
from support_agents.wording.segments import split_sentences
from support_agents.wording.values import decimals, number_word

# A code (`HW-10423`, `Q3`), a number, a word.
_TOKEN = linear.compile(r"\pL+-?\d[\pL\d]*|\d+(?:[.,]\d+)*|\pL+(?:['’]\pL+)?")
_ORDINALS = {"first": "1", "second": "2", "third": "3", "fourth": "4", "fifth": "5", "sixth": "6"}
_ACRONYM = (2, 3, 4)
_WINDOW = 3
_SHORT_CODE = 2
_LONGEST_TEXT = 100_000


@dataclass(frozen=True)
class Word:
    """A word as written, its stem (empty where it carries no meaning) and, of a number, its value."""

    text: str
    stem: str
    number: str = ""

    @property
    def is_name(self) -> bool:
        """Whether it is written like a name; the start of a sentence is the reader's affair."""
        return self.text[:1].isupper() and not self.number

    @property
    def is_code(self) -> bool:
        """Whether letters and figures stand together."""
        return not self.number and any(sign.isdigit() for sign in self.text)


@dataclass(frozen=True)
class Line:
    """One sentence with its words in order."""

    text: str
    words: tuple[Word, ...]

    @cached_property
    def stems(self) -> frozenset[str]:
        """The stems that carry meaning."""
        return frozenset(word.stem for word in self.words if word.stem)


@dataclass(frozen=True)
class Source:
    """A text by its sentences, and all that is in any of them."""

    text: str
    lines: tuple[Line, ...]

    @cached_property
    def stems(self) -> frozenset[str]:
        """Every stem."""
        return frozenset().union(*(line.stems for line in self.lines))

    @cached_property
    def numbers(self) -> frozenset[str]:
        """The value of every number, in figures or in words; `third` is 3 here, for it may bear `Q3`."""
        words = [word for line in self.lines for word in line.words]
        ordinals = (_ORDINALS.get(word.text.casefold(), "") for word in words)
        return frozenset((*(word.number for word in words), *ordinals)) - {""}

    @cached_property
    def folded(self) -> str:
        """The text without regard to case, for names inside of longer words."""
        return self.text.casefold()

    @cached_property
    def acronyms(self) -> frozenset[str]:
        """First letters of two, three and four words in a row, so that a short form of a name is not a new one."""
        firsts = [[word.text[0].casefold() for word in line.words] for line in self.lines]
        return frozenset(
            "".join(row[at : at + size]) for row in firsts for size in _ACRONYM for at in range(len(row) - size + 1)
        )

    @cached_property
    def _frequency(self) -> Counter[str]:
        return Counter(stem for line in self.lines for stem in line.stems)

    def nearest(self, line: Line, most: int = _WINDOW) -> tuple[Line, ...]:
        """The sentences that share most with `line`, rare words counting more; best first."""
        total = len(self.lines) + 1

        def likeness(other: Line) -> float:
            return sum(log(total / (1 + self._frequency[stem])) + 0.3 for stem in line.stems & other.stems)

        return tuple(sorted(self.lines, key=likeness, reverse=True)[:most])


@lru_cache(maxsize=256)
def read(text: str) -> Source:
    """Read a text; what is longer than 100,000 characters is cut there."""
    text = text[:_LONGEST_TEXT]
    lines = (_line(part.text) for part in split_sentences(text))
    return Source(text, tuple(line for line in lines if line.words))


def joined(texts: Iterable[str]) -> Source:
    """Read several texts as one, each beginning a line of its own."""
    return read("\n\n".join(texts))


def _line(text: str) -> Line:
    return Line(text, tuple(_word(match.group(0)) for match in _TOKEN.finditer(text)))


@lru_cache(maxsize=4_096)
def _word(text: str) -> Word:
    if text[0].isdigit():
        return Word(text, text, min(decimals(text), key=len, default=text))
    if text[0].isalpha() and len(text) == _SHORT_CODE and text[1].isdigit():
        return Word(text, text.casefold(), text[1])
    if any(sign.isdigit() for sign in text):
        return Word(text, text.casefold())
    stems = terms(text)
    return Word(text, stems[0] if stems else "", number_word(text))
