"""A customer's message as a page shows it: own words, older mail folded, HTML made harmless; it trusts nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from api.console.outside_html import harmless
from approvals.asked import asked_words
from approvals.item_lines import file_line
from approvals.quoting import fold
from support_agents.domain.ticket import Author, Message

_SHOWN = 3


@dataclass(frozen=True)
class Words:
    """One message; `short` is what a phone shows of it first, `cut` whether that leaves words out."""

    at: datetime
    fresh: str
    quoted: str
    html: Markup | None
    attachments: tuple[str, ...]
    short: str = ""
    cut: bool = False


def shown_words(message: Message, asks: Sequence[str] = ()) -> Words:
    """Fold and clean one message; `asks` are stretches of it that the intent agent found."""
    folded = fold(message.text.strip("\n"))
    fresh = folded.fresh.rstrip()
    asked = asked_words(fresh, asks)
    return Words(
        at=message.created_at,
        fresh=fresh,
        short=asked.text if asked.cut or "\n" in fresh else "",
        cut=asked.cut,
        quoted=folded.quoted,
        html=(harmless(message.html) or None) if message.html else None,
        attachments=tuple(file_line(attachment) for attachment in message.attachments),
    )


def newest_words(messages: Sequence[Message], asks: Sequence[str] = ()) -> tuple[Words, ...]:
    """What the customer wrote since the last answer of ours: at most the newest three messages, oldest first."""
    unanswered: list[Message] = []
    for message in reversed(messages):
        if message.author is Author.CUSTOMER:
            unanswered.append(message)
        elif unanswered and message.author is Author.OPERATOR:
            break
    return tuple(shown_words(message, asks) for message in reversed(unanswered[:_SHOWN]))
