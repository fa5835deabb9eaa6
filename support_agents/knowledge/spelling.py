"""A misspelt search term as the nearest one that the articles use; it corrects no text that anybody sees."""

from collections.abc import Iterator, Mapping
from string import ascii_lowercase

# Shorter words have too many neighbours, longer ones are names and numbers.
_SHORTEST, _LONGEST = 5, 20


def nearest_known(term: str, rarity: Mapping[str, float]) -> str | None:
    """Return the most frequent known term that is one slip away: a letter more, less, other or swapped."""
    if not (_SHORTEST <= len(term) <= _LONGEST and term.isalpha()):
        return None
    found = {slip for slip in _slips(term) if slip in rarity}
    return min(found, key=lambda slip: (rarity[slip], slip), default=None)


def _slips(term: str) -> Iterator[str]:
    """Yield what is one slip away; the first letter is nearly always right."""
    for at in range(1, len(term) + 1):
        head, tail = term[:at], term[at:]
        if tail:
            yield head + tail[1:]
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]
        for letter in ascii_lowercase:
            yield head + letter + tail
            if tail:
                yield head + letter + tail[1:]
