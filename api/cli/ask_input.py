"""Reads the messages that `ask` is asked, from the command line or a JSON Lines file; it answers none of them."""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.asking import Question
from api.intake.payload import Instant, MessageBody, Payload, TicketBody, plain
from support_agents.domain.errors import SupportError
from support_agents.domain.ticket import Attachment, Author, Channel, Requester

NOW = "{now}"
_PIPED = Path("-")
_NOBODY = "customer@example.com"
_TEXT_NAMES = ("text", "question")

Identifier = str | int | float | None


class Asked(BaseModel):
    """A line with only a message: `text` (or `question`), the rest as known."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    text: Annotated[str, Field(min_length=1, max_length=20_000)]
    subject: Annotated[str, Field(max_length=500)] = ""
    email: Annotated[str, Field(max_length=320)] = _NOBODY
    name: Annotated[str, Field(max_length=200)] = ""
    order_id: Annotated[str, Field(max_length=100)] | None = None
    verified: bool = False
    channel: Channel = Channel.EMAIL


class _Webhook(Payload):
    """A body as the `standard` source takes it; when it happened matters to nobody here."""

    occurred_at: Instant = Field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True)
class Line:
    """One message to answer; `id` is given back as it came."""

    id: Identifier
    question: Question


@dataclass(frozen=True)
class BadLine:
    """A line that is no message; `problem` names file, line and field."""

    problem: str


def asked(values: Mapping[str, object]) -> Question:
    """Return the question of a plain line or of the command's own options; raises `ValidationError`."""
    line = Asked.model_validate(values)
    return Question(
        text=line.text,
        subject=line.subject,
        requester=Requester(email=line.email, name=line.name, verified=line.verified),
        channel=line.channel,
        order_id=line.order_id,
    )


def lines(path: Path) -> Iterator[Line | BadLine]:
    """Read a file (`-`: what is piped in) by lines; blank ones are skipped, a wrong one does not stop the others."""
    try:
        content = (sys.stdin.buffer.read() if path == _PIPED else path.read_bytes()).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SupportError("not_utf8", f"{path} is not UTF-8 text; save it as UTF-8") from error
    except OSError as error:
        raise SupportError("unreadable", f"cannot read {path} ({error.strerror})") from error
    for number, text in enumerate(content.split("\n"), start=1):
        if text.strip():
            yield _line(text, f"{path.name} line {number}")


def _line(text: str, place: str) -> Line | BadLine:
    try:
        found = json.loads(text)
    except ValueError as error:
        return BadLine(f"{place}: not JSON ({error})")
    if not isinstance(found, dict):
        return BadLine(f'{place}: not an object; write for example {{"text": "…"}}')
    try:
        return Line(_identifier(found), _question(found))
    except ValidationError as error:
        return BadLine(f"{place}: {problem(error)}")
    except ValueError as error:
        return BadLine(f"{place}: {error}")


def _identifier(found: Mapping[str, object]) -> Identifier:
    given = found.get("id")
    return given if isinstance(given, str | int | float) else None


def _question(found: Mapping[str, object]) -> Question:
    """Tell the three shapes apart: a webhook body, an object that has one as `body`, or a plain message."""
    body = found.get("body")
    if isinstance(body, dict):
        return _of_webhook(body)
    if "ticket" in found:
        return _of_webhook(found)
    name = next((name for name in _TEXT_NAMES if name in found), None)
    if name is None:
        raise ValueError("text: missing; give `text`, `question` or a whole webhook body")
    fields = {key: value for key, value in found.items() if value is not None}
    return asked({**fields, "text": fields.get(name)})


def _of_webhook(body: Mapping[str, object]) -> Question:
    payload = _Webhook.model_validate(_dated(body))
    message = payload.message
    if message is None:
        raise ValueError("message: missing; only messages can be answered")
    if message.author is not Author.CUSTOMER:
        raise ValueError(f"message.author: is {message.author}; only a customer's message is answered")
    return _asked_by(payload.ticket, message)


def _asked_by(ticket: TicketBody, message: MessageBody) -> Question:
    return Question(
        text=message.text or plain(message.html),
        subject=ticket.subject[:500],
        requester=Requester(
            email=ticket.requester.email, name=ticket.requester.name, verified=ticket.requester.verified
        ),
        channel=Channel(ticket.channel) if ticket.channel in set(Channel) else Channel.OTHER,
        order_id=ticket.order_id or None,
        attachments=tuple(
            Attachment(id=item.id[:200], filename=item.filename[:300], content_type=item.content_type[:200])
            for item in message.attachments
        ),
    )


def _dated(value: object) -> object:
    """Put the present where a template says `{now}`."""
    if isinstance(value, Mapping):
        return {key: _dated(item) for key, item in value.items()}
    return datetime.now(UTC).isoformat() if value == NOW else value


def problem(error: ValidationError) -> str:
    """Name the first field that does not fit; its value stays unsaid."""
    first = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(str(part) for part in first['loc']) or 'line'}: {first['msg'].lower()}"
