"""Names of products and plans that recur in titles, and families of articles that say the same of each of them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from support_agents import linear

LEAST_TITLES, MOST_NAMES = 4, 500
_CAPITALISED = linear.compile(r"\p{Lu}[\w+-]*(?: [\p{Lu}\d][\w+-]*)+")


@dataclass(frozen=True)
class Names:
    """The names found, longest first; the name in each title ("" for none), and the family it belongs to."""

    known: tuple[str, ...]
    of_title: tuple[str, ...]
    family: tuple[str, ...]

    @classmethod
    def of(cls, titles: Sequence[str]) -> "Names":
        """Find runs of capitalised words that stand in at least `LEAST_TITLES` titles."""
        seen = Counter(run for title in titles for run in {_plain(run) for run in _runs(title)})
        frequent = [name for name, number in seen.most_common(MOST_NAMES) if number >= LEAST_TITLES]
        known = tuple(sorted(frequent, key=lambda name: (-len(name), name)))
        plain = [_plain(title) for title in titles]
        names = tuple(next((name for name in known if _holds(title, name)), "") for title in plain)
        family = tuple(_without(title, name) for title, name in zip(plain, names, strict=True))
        return cls(known, names, family)

    def named_in(self, text: str) -> frozenset[str]:
        """Return the names in a message; one inside a longer one that is named does not count."""
        rest, found = _plain(text), set()
        for name in self.known:
            if _holds(rest, name):
                found.add(name)
                rest = _without(rest, name)
        return frozenset(found)


def _runs(title: str) -> Iterable[str]:
    return (found.group(0) for found in _CAPITALISED.finditer(title))


def _plain(text: str) -> str:
    return " ".join(linear.words(text.lower()))


def _holds(plain: str, name: str) -> bool:
    return f" {name} " in f" {plain} "


def _without(plain: str, name: str) -> str:
    return " ".join(f" {plain} ".replace(f" {name} ", " | ").split()) if name else plain
