"""The JSON body of the `standard` source, which every other sender is mapped to; it trusts no value, only the shape."""

import html
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import nh3
import re2
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from api.intake.automatic import is_automatic
from api.intake.bounce import bounced_letter, own_letter
from api.intake.protocol import Unparseable
from api.markup import is_bounded, without_tags
from support_agents.domain.ids import ActionId, WorkspaceId
from support_agents.domain.ticket import (
    Attachment,
    Author,
    Bounced,
    Channel,
    EventKind,
    InboundMessage,
    Message,
    Requester,
    TicketFacts,
)

_BREAKS = re2.compile(r"(?i)<br[^>]*>|</(?:p|div|li|tr|h[1-6]|blockquote)\s*>")
_CONTROLS = re2.compile(r"[\x00-\x1f\x7f]+")
_CHANNELS = {channel.value: channel for channel in Channel}
_FIRST_YEAR, _LAST_YEAR = 2000, 2200
_BIGGEST = 2**53


def _storable(value: str) -> str:
    """Drop what no database takes: NUL and halves of surrogate pairs."""
    if not value.isascii():
        value = value.encode("utf-8", "replace").decode("utf-8")
    return value.replace("\x00", "")


def _one_line(value: str) -> str:
    """Drop line breaks and control characters: nothing from outside may start a new header."""
    # Nearly every value is printable, and then has neither these nor anything that cannot be stored.
    line: str = value if value.isprintable() else _CONTROLS.sub(" ", _storable(value))
    return line.strip()


def _in_utc(value: datetime) -> datetime:
    """Read a time without offset as UTC; refuse years that no calendar of ours can convert."""
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise ValueError("is not a plausible time")
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _none_as_empty(value: object) -> object:
    return "" if value is None else value


Line = Annotated[str, BeforeValidator(_none_as_empty), AfterValidator(_one_line)]
Text = Annotated[str, BeforeValidator(_none_as_empty), AfterValidator(_storable)]
Instant = Annotated[datetime, AfterValidator(_in_utc)]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)


class RequesterBody(_Body):
    """`verified` is true only when the sender authenticated the customer itself."""

    email: Annotated[Line, Field(max_length=320)] = ""
    name: Annotated[Line, Field(max_length=200)] = ""
    verified: bool = False


class TicketBody(_Body):
    """The ticket an event is about."""

    id: Annotated[Line, Field(min_length=1, max_length=200)]
    subject: Line = ""
    requester: RequesterBody = RequesterBody()
    channel: Line = ""
    order_id: Annotated[Line, Field(max_length=100)] = ""
    revision: Annotated[int, Field(ge=0, le=_BIGGEST)] | None = None


class AttachmentBody(_Body):
    """A file, by name; its bytes are not fetched."""

    id: Line = ""
    filename: Line = ""
    content_type: Line = ""
    size: Annotated[int, Field(ge=0, le=_BIGGEST)] = 0
    url: Line = ""


class MessageBody(_Body):
    """One message; `subject` and `headers` help to recognise auto-replies, `marker` our own comments; all optional."""

    id: Annotated[Line, Field(max_length=200)] = ""
    text: Text = ""
    html: Text = ""
    created_at: Instant | None = None
    author: Author
    public: bool = True
    attachments: tuple[AttachmentBody, ...] = Field(default=(), max_length=100)
    subject: Line = ""
    headers: dict[str, str] = Field(default_factory=dict, max_length=200)
    marker: Annotated[Line, Field(max_length=200)] = ""


class Payload(_Body):
    """One event."""

    type: EventKind
    occurred_at: Instant
    ticket: TicketBody
    message: MessageBody | None = None


@dataclass(frozen=True)
class Reading:
    """Turns payloads into `InboundMessage`s; `body_key` is a keyed digest of a body, for messages without an id."""

    workspace: WorkspaceId
    source: str
    body_key: Callable[[bytes], str]
    find_marker: Callable[[str], str | None]
    mail_domain: str = ""

    def of(self, payload: Payload, raw: bytes, received_at: datetime) -> InboundMessage | Unparseable:
        """Map a payload; the event key comes from signed content alone."""
        message = payload.message
        if payload.type is EventKind.MESSAGE_CREATED and message is None:
            return Unparseable("message is missing")
        key = payload.occurred_at.isoformat() if message is None else message.id or self.body_key(raw)
        return InboundMessage(
            workspace=self.workspace,
            source=self.source,
            kind=payload.type,
            event_key=key,
            occurred_at=payload.occurred_at,
            received_at=received_at,
            ticket=_ticket(payload.ticket),
            message=message and _message(message, external_id=key, occurred_at=payload.occurred_at),
            automatic=message is not None and self._automatic(payload.ticket, message),
            marker=self._marker(message),
            bounced=self._bounced(payload.ticket, message),
        )

    def _automatic(self, ticket: TicketBody, message: MessageBody) -> bool:
        """By its headers and subject; or a letter of our own that came back."""
        return _automatic(ticket, message) or own_letter(message.id, self.mail_domain) is not None

    def _bounced(self, ticket: TicketBody, message: MessageBody | None) -> Bounced | None:
        """Only what a machine wrote is believed to be a delivery report."""
        if message is None or not _automatic(ticket, message):
            return None
        found = bounced_letter(message.text or plain(message.html), message.headers, self.mail_domain)
        return None if found is None else Bounced(action=ActionId(found[0]), status=found[1])

    def _marker(self, message: MessageBody | None) -> str | None:
        """Customers cannot carry our marker, whatever they quote."""
        if message is None or message.author is Author.CUSTOMER:
            return None
        return message.marker or self.find_marker(f"{message.text}\n{message.html}")


def _ticket(body: TicketBody) -> TicketFacts:
    return TicketFacts(
        external_id=body.id,
        subject=body.subject[:500],
        requester=Requester(email=body.requester.email, name=body.requester.name, verified=body.requester.verified),
        channel=_CHANNELS.get(body.channel.lower(), Channel.OTHER),
        order_id=body.order_id or None,
        revision=body.revision,
    )


def _message(body: MessageBody, *, external_id: str, occurred_at: datetime) -> Message:
    return Message(
        external_id=external_id,
        text=body.text or plain(body.html),
        html=body.html or None,
        author=body.author,
        public=body.public,
        created_at=body.created_at or occurred_at,
        attachments=tuple(_attachment(item, index) for index, item in enumerate(body.attachments)),
    )


def _attachment(body: AttachmentBody, index: int) -> Attachment:
    return Attachment(
        id=body.id[:200] or str(index),
        filename=body.filename[:300],
        content_type=body.content_type[:200] or "application/octet-stream",
        size=body.size,
        url=body.url[:2_000],
    )


def _automatic(ticket: TicketBody, message: MessageBody) -> bool:
    subject = message.subject or ticket.subject
    return is_automatic(subject=subject, sender=ticket.requester.email, headers=message.headers)


def plain(markup: str) -> str:
    """Return the text of an HTML message; tags go, line breaks stay."""
    broken = _BREAKS.sub("\n", markup)
    return html.unescape(nh3.clean(broken, tags=set()) if is_bounded(broken) else without_tags(broken)).strip()
