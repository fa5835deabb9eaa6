"""Outside text as Slack elements that nothing in it can escape: plain text or rich-text text, never markup."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from approvals.modals import split, units
from approvals.visible import shown
from approvals.wording import clock

Element = dict[str, Any]

LONGEST_TEXT = 3_000
LONGEST_BUTTON = 75
LONGEST_FALLBACK = 400
LONGEST_LINE = 200
_EMPTY = "–"


def visible(text: str) -> str:
    """Composed, with every unseen character written as its number; never blank, which Slack refuses."""
    made = shown(text)
    return made if made.strip() else _EMPTY


def plain(text: str, limit: int = LONGEST_TEXT) -> Element:
    """A plain-text object: no markup, no emoji names, no mentions."""
    return {"type": "plain_text", "text": shortened(visible(text), limit), "emoji": False}


def shortened(text: str, limit: int) -> str:
    """Cut to `limit` units of UTF-16, visibly; for lines, never for what is to be approved."""
    return text if units(text) <= limit else f"{split(text, limit - 1)[0].rstrip()}…"


def pieces(text: str, limit: int = LONGEST_TEXT) -> tuple[str, ...]:
    """A long text whole, in visible pieces that each fit one element."""
    return split(visible(text), limit)


def words(text: str, limit: int = LONGEST_TEXT, **style: bool) -> Element:
    """A rich-text text element."""
    element: Element = {"type": "text", "text": shortened(shown(text), limit) or _EMPTY}
    return element | ({"style": style} if style else {})


def link(url: str, label: str) -> Element:
    """A link of our own, with its whole host in sight; `label` is our own wording."""
    return {"type": "link", "url": url, "text": f"{label} at {urlsplit(url).netloc}"}


def moment(at: datetime) -> Element:
    """An instant in the reader's own time zone."""
    return {"type": "date", "timestamp": int(at.timestamp()), "format": "{time_secs}", "fallback": clock(at)}


def rich(*parts: Element) -> Element:
    """A block of rich text."""
    return {"type": "rich_text", "elements": list(parts)}


def line(*elements: Element) -> Element:
    """One paragraph of rich text."""
    return {"type": "rich_text_section", "elements": list(elements)}


def quote(*elements: Element) -> Element:
    """A quoted paragraph of rich text."""
    return {"type": "rich_text_quote", "elements": list(elements)}


def section(text: str) -> Element:
    """A section of plain text."""
    return {"type": "section", "text": plain(text)}


def context(*texts: str, limit: int = LONGEST_LINE) -> Element:
    """Small print: at most ten plain texts, each a line."""
    return {"type": "context", "elements": [plain(text, limit) for text in texts[:10]]}


def actions(*elements: Element) -> Element:
    """A row of buttons."""
    return {"type": "actions", "elements": list(elements)}


def fallback(text: str) -> str:
    """What notifications show: Slack reads markup in it, so its three signs are escaped after making it visible."""
    short = shortened(" ".join(visible(text).split()), LONGEST_FALLBACK)
    return short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
