"""Makes characters that a reader cannot see, or that reorder what is read, visible; it never drops one."""

import unicodedata
from functools import lru_cache

# Format, control, surrogate, private, unassigned, line and paragraph separators: nothing to see, or a trick.
_UNSEEN_CATEGORIES = frozenset({"Cf", "Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
_LAYOUT = frozenset("\n\t")
# Letters and marks by category, blank by appearance; U+FE0E and U+FE0F choose an emoji's style and stay.
_BLANKS = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5\u180b\u180c\u180d\u180f")
_SELECTORS = frozenset(map(chr, (*range(0xFE00, 0xFE0E), *range(0xE0100, 0xE01F0))))


@lru_cache(maxsize=4096)
def _unseen(character: str) -> bool:
    if character in _LAYOUT:
        return False
    if character in _BLANKS or character in _SELECTORS:
        return True
    return unicodedata.category(character) in _UNSEEN_CATEGORIES


def runs(text: str) -> list[tuple[str, bool]]:
    """Split into runs that can be seen and runs of one and the same character that cannot; CR LF is one line break."""
    found: list[tuple[str, bool]] = []
    text = text.replace("\r\n", "\n")
    start = at = 0
    while at < len(text):
        if not _unseen(text[at]):
            at += 1
            continue
        end = at + 1
        while end < len(text) and text[end] == text[at]:
            end += 1
        found += [(text[start:at], False), (text[at:end], True)]
        start = at = end
    return [run for run in (*found, (text[start:], False)) if run[0]]


def mark(run: str) -> str:
    """What stands for a run of one unseen character: `⟦U+202E⟧`, or `⟦U+202E ×3⟧`."""
    return f"⟦U+{ord(run[0]):04X}{f' ×{len(run)}' if len(run) > 1 else ''}⟧"


def pieces(text: str) -> list[tuple[str, bool]]:
    """As `runs`, with marks in the place of what cannot be seen."""
    return [(mark(run) if unseen else run, unseen) for run, unseen in runs(text)]


def plain(text: str) -> str:
    """Write unseen characters as `⟦U+202E⟧`, equal ones in a row as `⟦U+202E ×3⟧`; fit for attributes as well."""
    return text if text.isascii() and text.isprintable() else "".join(piece for piece, _ in pieces(text))


def shown(text: str) -> str:
    """As `plain`, composed (NFC): for surfaces that show letters and nothing else."""
    return plain(unicodedata.normalize("NFC", text))


def unseen_in(text: str) -> tuple[str, ...]:
    """Each character of the text that cannot be seen, once, as `U+202E`."""
    found = (mark(run[0])[1:-1] for run, unseen in runs(text) if unseen)
    return tuple(dict.fromkeys(found))


def without_unseen(text: str) -> str:
    """The text without the characters that cannot be seen: for a person to edit, never for what was approved."""
    return "".join(piece for piece, unseen in pieces(text) if not unseen)
