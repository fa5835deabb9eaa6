"""Which of many words, or beginnings of words, a text has; they are looked up by their first letters, not in turn."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from support_agents import linear

_LETTERS = 3


@dataclass(frozen=True)
class Beginnings:
    """Listed words, each as `beginning` writes it, by the first letters of its first one."""

    by_letters: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, listed: Iterable[str]) -> "Beginnings":
        """Sort what `beginning` gave."""
        found: dict[str, list[str]] = {}
        for one in dict.fromkeys(listed):
            found.setdefault(next(iter(one.split()), "")[:_LETTERS], []).append(one)
        return cls({letters: tuple(ones) for letters, ones in found.items()})

    def found_in(self, text: str) -> frozenset[str]:
        """Return those that stand in `text`."""
        plain, letters = words_of(text), {""}
        for word in plain.split():
            letters |= {word[:length] for length in range(1, _LETTERS + 1)}
        return frozenset(
            one for begun in letters & self.by_letters.keys() for one in self.by_letters[begun] if one in plain
        )


@dataclass(frozen=True)
class Needed:
    """Of every group of beginnings a text must have one, and none of `without`."""

    groups: tuple[frozenset[str], ...]
    without: frozenset[str]

    @classmethod
    def of(cls, groups: Sequence[Sequence[str]], without: Sequence[str]) -> "Needed":
        """Read words as a macro lists them."""
        return cls(tuple(frozenset(map(beginning, group)) for group in groups), frozenset(map(beginning, without)))

    def met_by(self, found: frozenset[str]) -> bool:
        """Whether what was found in a text meets it."""
        if not self.without.isdisjoint(found):
            return False
        return not any(group.isdisjoint(found) for group in self.groups)


@lru_cache(maxsize=256)
def words_of(text: str) -> str:
    """The words of a message, which every case of every macro asks about, with a space around each."""
    return f"{_joined(text)} "


@lru_cache(maxsize=8_192)
def beginning(word: str) -> str:
    """A listed word, or words in a row, as it stands in a text that has it; its end is open."""
    return _joined(word)


def _joined(text: str) -> str:
    return "".join(f" {word}" for word in linear.words(text.casefold()))
