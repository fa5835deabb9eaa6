"""Regular expressions in linear time: the engine of `re2` with less Python around each look; it knows no words.

A run looks at short texts many hundred times, and there what `re2` does around a match – a generator, every group's
place in characters, a count of groups – took several times as long as the match itself.
"""

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import re2

_NOWHERE = (-1, -1)
_ANYWHERE, _AT_START = re2._re2.RE2.Anchor.UNANCHORED, re2._re2.RE2.Anchor.ANCHOR_START  # noqa: SLF001 - see `Pattern`
_WHOLE = re2._re2.RE2.Anchor.ANCHOR_BOTH  # noqa: SLF001

Span = tuple[int, int]

# One class again and again cannot backtrack, so the standard library's engine is linear here, and much quicker. What it
# calls alphanumeric is what `[\pL\pN]` is, which `tests/unit/test_linear.py` looks up for every character.
_WORDS, _WORDS_WITH, _POINTED = re.compile(r"[^\W_]+"), re.compile(r"[\w'-]+"), re.compile(r"[\w.,]+")
_APOSTROPHED, _SHARES = re.compile(r"[\w'’]+"), re.compile(r"[\w%]+")
_SENTENCES = re.compile(r"[^.!?\n;]+[.!?\n;]*")  # nor can two classes that share no sign
# All there are would take 100 MB, and a few hostile messages could name them all.
_MOST_CHARACTERS = 16_384
_SPACES = re.compile(r"[\t\n\f\r ]+")
_TOKENS = re.compile(r"\w+|[^\w\t\n\f\r ]")


class Characters(dict[int, str | None]):
    """What `str.translate` puts in the place of a character, or None to drop it: `put` is asked once for each."""

    def __init__(self, put: Callable[[str], str | None]) -> None:
        """Begin with none: a language uses a hundred of them."""
        super().__init__()
        self._put = put

    def __missing__(self, at: int) -> str | None:
        found = self._put(chr(at))
        if len(self) < _MOST_CHARACTERS:
            self[at] = found
        return found


def words(text: str) -> list[str]:
    """Return the runs of letters and digits."""
    return _WORDS.findall(text)


def hyphened_words(text: str) -> list[str]:
    """Return the runs of letters, digits, apostrophes and hyphens."""
    return _WORDS_WITH.findall(text.replace("_", " "))


def pointed_words(text: str) -> list[str]:
    """Return the runs of letters, digits, points and commas."""
    return _POINTED.findall(text.replace("_", " "))


def apostrophed_words(text: str) -> list[str]:
    """Return the runs of letters, digits and apostrophes, straight or not."""
    return _APOSTROPHED.findall(text.replace("_", " "))


def words_and_shares(text: str) -> list[str]:
    """Return the runs of letters, digits and per cent signs."""
    return _SHARES.findall(text.replace("_", " "))


def sentences(text: str) -> list[str]:
    """Return the stretches that end with a full stop, a mark, a semicolon or a line, these with them."""
    return _SENTENCES.findall(text)


def tokens(text: str) -> list[str]:
    """Return the runs of letters, digits and underscores, and every other sign that is no white space by itself."""
    return _TOKENS.findall(text)


def spaced(text: str) -> str:
    """Return `text` with one space in the place of every run of white space."""
    return _SPACES.sub(" ", text)


def escape(text: str) -> str:
    """Return a pattern that fits exactly `text`."""
    return str(re2.escape(text))


def compile(pattern: str, *, memory: int | None = None) -> "Pattern":  # noqa: A001 - as it is called everywhere
    """Return a pattern; `memory` (bytes) is for one so large that the usual 8 MiB would make the engine slow."""
    if memory is None:
        return Pattern(re2.compile(pattern))
    options = re2.Options()
    options.max_mem = memory
    return Pattern(re2.compile(pattern, options))


class Found:
    """Where a pattern fits; places are counted in characters, and only when somebody asks for them."""

    __slots__ = ("_base", "_pattern", "_spans", "_text")

    def __init__(self, pattern: "Pattern", text: bytes, spans: list[Span], base: Span | None) -> None:
        """`spans` are of bytes; `base` is a place in bytes and characters to count from, None if they are the same."""
        self._pattern = pattern
        self._text = text
        self._spans = spans
        self._base = base

    def group(self, which: int | str = 0) -> Any:  # noqa: ANN401 - as in the standard library
        """Return the words of a group, None where it has no part in the match."""
        start, end = self._spans[which if isinstance(which, int) else self._pattern.names[which]]
        return None if start < 0 else self._text[start:end].decode()

    def __getitem__(self, which: int | str) -> Any:  # noqa: ANN401
        """As `group`."""
        return self.group(which)

    def groups(self, default: str | None = None) -> tuple[Any, ...]:
        """Return the words of all groups, `default` for one that has no part in the match."""
        return tuple(
            default if start < 0 else self._text[start:end].decode() for start, end in islice(self._spans, 1, None)
        )

    def groupdict(self) -> dict[str, str | None]:
        """Return the words of the groups that have names."""
        return {name: self.group(at) for name, at in self._pattern.names.items()}

    def start(self, which: int | str = 0) -> int:
        """Return where a group begins, -1 where it has no part."""
        return self.span(which)[0]

    def end(self, which: int | str = 0) -> int:
        """Return where a group ends, -1 where it has no part."""
        return self.span(which)[1]

    def span(self, which: int | str = 0) -> Span:
        """Return where a group begins and ends."""
        start, end = self._spans[which if isinstance(which, int) else self._pattern.names[which]]
        if self._base is None or start < 0:
            return start, end
        in_bytes, in_characters = self._base
        begins = in_characters + len(self._text[in_bytes:start].decode())
        return begins, begins + len(self._text[start:end].decode())


class Pattern:
    """A compiled pattern, with the methods of the standard library's.

    It calls the engine's own object, which `re2` keeps to itself; the tests tell if a new version should change that.
    """

    __slots__ = ("_groups", "_look", "_slow", "names", "pattern")

    def __init__(self, slow: Any) -> None:  # noqa: ANN401 - `re2` has no types
        """`slow` is what `re2.compile` returns."""
        self._slow = slow
        self._look: Callable[..., list[Span]] = slow._regexp.Match  # noqa: SLF001 - what its own methods call
        self._groups: int = slow.groups
        self.names: dict[str, int] = slow.groupindex
        self.pattern: str = slow.pattern

    def search(self, text: str, start: int = 0) -> Found | None:
        """Return the first place at or behind `start` where it fits."""
        return self._first(_ANYWHERE, text, start)

    def match(self, text: str) -> Found | None:
        """Return how it fits the beginning of `text`."""
        return self._first(_AT_START, text, 0)

    def fullmatch(self, text: str) -> Found | None:
        """Return how it fits the whole of `text`."""
        return self._first(_WHOLE, text, 0)

    def finditer(self, text: str) -> Iterator[Found]:
        """Give out every place where it fits, none overlapping another."""
        data = text.encode()
        plain = len(data) == len(text)
        base, at, end = (0, 0), 0, len(data)
        while (spans := self._look(_ANYWHERE, data, at, end))[0] != _NOWHERE:
            first, last = spans[0]
            if not plain:
                base = first, base[1] + len(data[base[0] : first].decode())
            yield Found(self, data, spans, None if plain else base)
            if at == end:
                return
            at = last if last > at else _next(data, at)

    def findall(self, text: str) -> list[Any]:
        """Return the words of every place: of its group, of a tuple of groups, or of the whole if it has none."""
        if self._groups == 0:
            return [found.group() for found in self.finditer(text)]
        if self._groups == 1:
            return [found.group(1) or "" for found in self.finditer(text)]
        return [found.groups(default="") for found in self.finditer(text)]

    def split(self, text: str) -> list[str]:
        """Return what stands between the places; groups are not given out."""
        pieces: list[str] = []
        end = 0
        for found in self.finditer(text):
            start, behind = found.span()
            pieces.append(text[end:start])
            end = behind
        return [*pieces, text[end:]]

    def sub(self, put: str | Callable[[Any], str], text: str, count: int = 0) -> str:
        """Return `text` with `put` in the place of every match, or of the first `count`."""
        if count or (isinstance(put, str) and "\\" in put):
            return str(self._slow.sub(put, text, count))
        pieces: list[str] = []
        end = 0
        for found in self.finditer(text):
            start, behind = found.span()
            pieces += [text[end:start], put if isinstance(put, str) else put(found)]
            end = behind
        return "".join([*pieces, text[end:]]) if pieces else text

    def _first(self, anchor: object, text: str, start: int) -> Found | None:
        data = text.encode()
        plain = len(data) == len(text)
        at = start if plain or not start else len(text[:start].encode())
        if at > len(data):
            return None
        spans = self._look(anchor, data, at, len(data))
        return None if spans[0] == _NOWHERE else Found(self, data, spans, None if plain else (0, 0))


def _next(data: bytes, at: int) -> int:
    """Return where the character after the one at `at` begins."""
    at += 1
    while at < len(data) and data[at] & 0xC0 == 0x80:  # noqa: PLR2004 - a byte inside of a character
        at += 1
    return at
