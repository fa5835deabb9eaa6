"""A customer's message as a page shows it: own words, older mail folded, HTML made harmless; it trusts nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from api.console.outside_html import harmless
from approvals.item_lines import file_line
from approvals.quoting import fold
from support_agents.domain.ticket import Author, Message

_SHOWN = 3


@dataclass(frozen=True)
class Words:
    """One message."""

    at: datetime
    fresh: str
    quoted: str
    html: Markup | None
    attachments: tuple[str, ...]


def shown_words(message: Message) -> Words:
    """Fold and clean one message."""
    folded = fold(message.text.strip("\n"))
    return Words(
        at=message.created_at,
        fresh=folded.fresh.rstrip(),
        quoted=folded.quoted,
        html=(harmless(message.html) or None) if message.html else None,
        attachments=tuple(file_line(attachment) for attachment in message.attachments),
    )


def newest_words(messages: Sequence[Message]) -> tuple[Words, ...]:
    """What the customer wrote since the last answer of ours: at most the newest three messages, oldest first."""
    unanswered: list[Message] = []
    for message in reversed(messages):
        if message.author is Author.CUSTOMER:
            unanswered.append(message)
        elif unanswered and message.author is Author.OPERATOR:
            break
    return tuple(shown_words(message) for message in reversed(unanswered[:_SHOWN]))
