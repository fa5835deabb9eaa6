"""Plain words for codes: outcomes, states, stages, checks, reasons; it decides nothing and knows no row."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from support_agents.domain.action import ActionKind
from support_agents.domain.approval import ExecutionStatus, RequestStatus
from support_agents.domain.orders import OrderStatus
from support_agents.domain.runs import Outcome


class Tone(StrEnum):
    """How a word is coloured; the word itself always says it too."""

    PLAIN = "plain"
    GOOD = "good"
    CARE = "care"
    BAD = "bad"
    MONEY = "money"


@dataclass(frozen=True)
class Badge:
    """A short word with its tone."""

    text: str
    tone: Tone = Tone.PLAIN


OUTCOMES: Mapping[Outcome, Badge] = {
    Outcome.DRAFTED: Badge("reply drafted", Tone.GOOD),
    Outcome.SHORTENED: Badge("reply cut short in time", Tone.GOOD),
    Outcome.MACRO: Badge("reply from a template", Tone.GOOD),
    Outcome.EXTRACTIVE: Badge("reply from articles", Tone.GOOD),
    Outcome.CLARIFY: Badge("asks a question back", Tone.GOOD),
    Outcome.EVIDENCE: Badge("evidence, no draft", Tone.CARE),
    Outcome.HANDED_OFF: Badge("handed to a person", Tone.CARE),
    Outcome.OVERTAKEN: Badge("overtaken by a newer message"),
}
REQUESTS: Mapping[RequestStatus, Badge] = {
    RequestStatus.PENDING: Badge("waits for a decision", Tone.CARE),
    RequestStatus.APPROVED: Badge("approved", Tone.GOOD),
    RequestStatus.REJECTED: Badge("rejected", Tone.BAD),
    RequestStatus.EXPIRED: Badge("expired undecided", Tone.CARE),
    RequestStatus.SUPERSEDED: Badge("replaced by something newer"),
}
EXECUTIONS: Mapping[ExecutionStatus, Badge] = {
    ExecutionStatus.SCHEDULED: Badge("scheduled", Tone.CARE),
    ExecutionStatus.EXECUTING: Badge("on its way", Tone.CARE),
    ExecutionStatus.SUCCEEDED: Badge("done", Tone.GOOD),
    ExecutionStatus.FAILED: Badge("failed: nothing happened", Tone.BAD),
    ExecutionStatus.IN_DOUBT: Badge("in doubt", Tone.BAD),
    ExecutionStatus.CANCELLED: Badge("undone"),
    ExecutionStatus.SUPERSEDED: Badge("not sent: things changed", Tone.CARE),
}
ORDERS: Mapping[OrderStatus, str] = {
    OrderStatus.PROCESSING: "being prepared",
    OrderStatus.SHIPPED: "shipped",
    OrderStatus.DELIVERED: "delivered",
    OrderStatus.CANCELLED: "cancelled",
    OrderStatus.RETURNED: "returned",
}
WAYS: Mapping[str, str] = {
    "helpdesk": "public reply in the helpdesk",
    "email": "e-mail",
    "payment": "payment provider",
    "http": "the shop’s own system",
}
KINDS: Mapping[ActionKind, str] = {
    ActionKind.SEND_REPLY: "Reply",
    ActionKind.ISSUE_REFUND: "Refund",
    ActionKind.CANCEL_ORDER: "Cancel the order",
    ActionKind.REPLACE_ORDER: "Send a replacement",
    ActionKind.DELETE_RECORD: "Delete the customer’s record",
}
# What a reply may speak of, and what has become of it when it has happened.
HAPPENED: Mapping[ActionKind, tuple[str, str]] = {
    ActionKind.SEND_REPLY: ("the reply", "sent"),
    ActionKind.ISSUE_REFUND: ("the refund", "booked"),
    ActionKind.CANCEL_ORDER: ("the cancellation", "made"),
    ActionKind.REPLACE_ORDER: ("the replacement", "ordered"),
    ActionKind.DELETE_RECORD: ("the deletion", "done"),
}

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def words(code: str) -> str:
    """A code as words: `order_status` becomes `order status`."""
    return code.replace("_", " ").replace(".", " ")


def span(length: timedelta) -> str:
    """A length of time in one or two units, rounded down: `3 min`, `2 h 5 min`, `4 days`."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    if seconds < _DAY:
        hours, rest = divmod(seconds, _HOUR)
        return f"{hours} h {rest // _MINUTE} min" if rest >= _MINUTE else f"{hours} h"
    days = seconds // _DAY
    return f"{days} day{'s' if days > 1 else ''}"


def ago(at: datetime, now: datetime) -> str:
    """How long before `now`."""
    return "just now" if (now - at).total_seconds() < 1 else f"{span(now - at)} ago"


def clock(at: datetime) -> str:
    """An instant for people, in UTC: `22 Nov 2026, 15:48:07 UTC`."""
    return f"{at.day} {at:%b %Y, %H:%M:%S} UTC"


def milliseconds(value: float) -> str:
    """A duration with as many digits as tell something: `0.42`, `9.3`, `148`."""
    if value < 1:
        return f"{value:.2f}"
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"  # noqa: PLR2004 - where the decimal stops telling


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """`1 fact`, `4 facts`."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"
