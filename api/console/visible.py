"""Marks, in a page, characters that a reader cannot see or that reorder what is read; it never drops one."""

from markupsafe import Markup, escape

from approvals.visible import pieces


def marked(text: str) -> Markup:
    """As `approvals.visible.plain`, escaped, with each such mark set off by an element of its own."""
    return Markup("").join(
        Markup('<mark class="unseen">{}</mark>').format(piece) if unseen else escape(piece)
        for piece, unseen in pieces(text)
    )
