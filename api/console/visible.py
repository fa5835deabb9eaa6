"""Marks, in a page, characters that a reader cannot see or that reorder what is read; what is left out is said."""

from markupsafe import Markup, escape

from approvals.visible import mark, pieces, runs

# A mark is some 40 bytes of page for one character, so a text of nothing else would swell forty-fold.
MOST_MARKS = 1_000


def marked(text: str) -> Markup:
    """As `approvals.visible.plain`, escaped and whole, with each such mark set off by an element of its own."""
    return Markup("").join(_set_off(piece) if unseen else escape(piece) for piece, unseen in pieces(text))


def excerpt(text: str) -> Markup:
    """As `marked`, up to `MOST_MARKS` marks, and then how many characters are left out; never for what is approved."""
    shown, marks, left = [], 0, 0
    for run, unseen in runs(text):
        marks += unseen
        if marks > MOST_MARKS:
            left += len(run)
        else:
            shown.append(_set_off(mark(run)) if unseen else escape(run))
    if left:
        note = f"… {left:,} further characters are not shown: too many before them cannot be seen"
        shown.append(Markup('<span class="muted">{}</span>').format(note))
    return Markup("").join(shown)


def _set_off(piece: str) -> Markup:
    return Markup('<mark class="unseen">{}</mark>').format(piece)
