"""How much of a batch sheet a phone shows at once, roughly and on the safe side; it cuts no text, it only counts rows.

Sizes are those of a messenger's app at the phone's own text size, in points; lines are taken a little narrower than
they are, because words do not fill them.
"""

import math
from collections.abc import Iterable, Sequence

SCREEN = 620
_FRAME = 37 + 44 + 4 * 8  # who sent it, the sheet's button, and the room between
_TEXT, _WIDE = 20, 39
_BETWEEN = 8  # blocks: paragraphs are blocks of their own
_SMALL, _SMALL_WIDE = 17, 46
_TICK = 20


def rows_that_fit(title: str, template: str, rows: Sequence[str]) -> int:
    """Return how many of these rows stand on one screen with the title, the template and its button."""
    paragraphs = template.split("\n\n")
    left = SCREEN - _FRAME - _TEXT * _lines([title], _WIDE) - _BETWEEN * len(paragraphs)
    left -= _TEXT * sum(_lines(paragraph.split("\n"), _WIDE) for paragraph in paragraphs)
    for at, row in enumerate(rows):
        left -= _TICK + _SMALL * _lines([row], _SMALL_WIDE)
        if left < 0:
            return at
    return len(rows)


def _lines(paragraphs: Iterable[str], width: int) -> int:
    return sum(max(1, math.ceil(len(paragraph) / width)) for paragraph in paragraphs)
