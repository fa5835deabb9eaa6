"""The `zendesk` source: Zendesk's signature over a trigger's JSON body or a native event; it never calls Zendesk back.

Two triggers send the body of the `standard` source (every value may be a string; empty ones may stay):
one with the condition "Current user is (end user)" and `"author": "customer"`, one with "Current user is (agent)" and
`"author": "operator"`, both "Comment is Public" and "Ticket is Created or Updated":

    {"type": "message.created", "occurred_at": "{{ticket.updated_at_with_timestamp}}",
     "ticket": {"id": "{{ticket.id}}", "subject": "{{ticket.title}}", "channel": "{{ticket.via}}", "order_id": "",
                "requester": {"email": "{{ticket.requester.email}}", "name": "{{ticket.requester.name}}",
                              "verified": false}},
     "message": {"author": "customer", "author_id": "{{current_user.id}}", "id": "{{ticket.latest_public_comment.id}}",
                 "text": "{{ticket.latest_public_comment.value}}"}}

`verified` may be true only in a trigger whose conditions admit nobody but customers whom Zendesk authenticated.
`order_id` takes the placeholder of an order field. Status triggers send `ticket.solved` or `ticket.closed` and no
`message`.

A trigger's message may name files as `attachments`: a list of objects with `id`, `filename`, `content_type`, `size`
and `url`.

Assumed, not documented by Zendesk: `latest_public_comment.id` may render empty (then a keyed digest of the body is the
message's id), placeholder text may hold raw line breaks inside JSON strings, and the members of `event.comment` in
native events, its `attachments` among them (as in Zendesk's API of attachments). Native events name a requester by id
only, so they are never verified.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import ValidationError

from api.intake.payload import Payload, Reading
from api.intake.protocol import Unparseable
from api.intake.refusal import refusal
from api.intake.signature import decoded, digest, missing, require_match, require_recent
from support_agents.domain.ticket import Author, Channel, EventKind, InboundMessage

_SIGNATURE = "x-zendesk-webhook-signature"
_TIMESTAMP = "x-zendesk-webhook-signature-timestamp"
_NATIVE = "zen:event-type:ticket."
_MOST_FILES, _BIGGEST = 100, 2**53
_CHANNELS = {channel.value: channel for channel in Channel} | {
    "mail": Channel.EMAIL,
    "chat": Channel.CHAT,
    "native_messaging": Channel.CHAT,
    "messaging": Channel.CHAT,
    "web form": Channel.WEB,
    "web_widget": Channel.WEB,
    "web widget": Channel.WEB,
    "help_center": Channel.WEB,
}
_STATUSES = {"solved": EventKind.TICKET_SOLVED, "closed": EventKind.TICKET_CLOSED}

Json = Mapping[str, object]


@dataclass(frozen=True)
class ZendeskIntake:
    """`keys` are secrets as text (never base64-decoded); `api_user` is the id under which we comment."""

    keys: tuple[bytes, ...]
    reading: Reading
    api_user: str = ""

    @property
    def source(self) -> str:
        """The name in `/webhooks/{source}`."""
        return self.reading.source

    def verify(self, raw: bytes, headers: Mapping[str, str], now: datetime) -> None:
        """Raise unless a key signed timestamp + body within five minutes."""
        stamp, signature = headers.get(_TIMESTAMP, ""), headers.get(_SIGNATURE, "")
        if not signature:
            raise missing(_SIGNATURE)
        require_match([decoded(signature)], self.keys, stamp.encode("latin-1", "replace") + raw)
        require_recent(_instant(stamp), now)

    def parse(self, raw: bytes, received_at: datetime) -> InboundMessage | Unparseable:
        """Read a trigger's body or a native ticket event."""
        try:
            # Not strict: a placeholder with a line break in it must not cost a customer's message.
            body = json.loads(raw, strict=False)
        except (ValueError, RecursionError):
            return Unparseable("body: not JSON")
        if not isinstance(body, dict):
            return Unparseable("body: not an object")
        native = _word(body.get("type")).startswith(_NATIVE)
        shaped = _from_native(body) if native else body
        if shaped is None:
            return Unparseable("type: an event that we do not use")
        return self._read(shaped, raw, received_at)

    def _read(self, body: Json, raw: bytes, received_at: datetime) -> InboundMessage | Unparseable:
        try:
            inbound = self.reading.of(Payload.model_validate(body), raw, received_at)
        except ValidationError as error:
            return refusal(error)
        if isinstance(inbound, Unparseable):
            return inbound
        ticket = inbound.ticket.model_copy(update={"channel": _channel(body)})
        update: dict[str, object] = {"ticket": ticket}
        message = inbound.message
        if message is not None and self.api_user and _word(_part(body, "message").get("author_id")) == self.api_user:
            update |= {"message": message.model_copy(update={"author": Author.OPERATOR}), "by_api_user": True}
        return inbound.model_copy(update=update)


def sign(secret: str, *, at: datetime, body: bytes) -> dict[str, str]:
    """Return the two headers Zendesk sets; for tests and for rehearsing a trigger."""
    stamp = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    signature = base64.b64encode(digest(secret.encode(), stamp.encode() + body)).decode()
    return {_TIMESTAMP: stamp, _SIGNATURE: signature}


def _from_native(body: Json) -> Json | None:
    """Map a native event to the standard body; None for the many kinds that change nothing for us."""
    kind = _word(body.get("type")).removeprefix(_NATIVE)
    detail, event = _part(body, "detail"), _part(body, "event")
    event_type = _native_kind(kind, event)
    if event_type is None:
        return None
    shaped: dict[str, object] = {
        "type": event_type,
        "occurred_at": body.get("time"),
        "ticket": {
            "id": detail.get("id"),
            "subject": detail.get("subject"),
            "channel": _part(detail, "via").get("channel"),
        },
    }
    if event_type is EventKind.MESSAGE_CREATED:
        shaped["message"] = _native_message(event, requester=_word(detail.get("requester_id")))
    return shaped


def _native_kind(kind: str, event: Json) -> EventKind | None:
    if kind == "comment_added":
        return EventKind.MESSAGE_CREATED
    if kind == "merged":
        return EventKind.TICKET_MERGED
    if kind == "requester_changed":
        return EventKind.REQUESTER_CHANGED
    if kind == "status_changed":
        return _STATUSES.get(_word(event.get("current")).lower())
    return None


def _native_message(event: Json, *, requester: str) -> Json:
    """A staff member or anyone but the requester is an operator to us: only the requester starts runs."""
    comment = _part(event, "comment")
    author = _part(comment, "author")
    author_id = _word(author.get("id")) or _word(comment.get("author_id"))
    customer = author_id not in {"", "-1"} and author_id == requester and not author.get("is_staff")
    return {
        "id": comment.get("id"),
        "text": comment.get("body"),
        "author": Author.CUSTOMER if customer else Author.OPERATOR,
        "author_id": author_id,
        "public": comment.get("is_public", True),
        "attachments": _native_files(comment.get("attachments")),
    }


def _native_files(named: object) -> list[Json]:
    """The files of a comment by the names of Zendesk's attachments; what is no file is left out, the comment is not."""
    files = [file for file in named if isinstance(file, dict)] if isinstance(named, list) else []
    return [
        {
            "id": _word(file.get("id")),
            "filename": _word(file.get("file_name")) or _word(file.get("filename")),
            "content_type": _word(file.get("content_type")),
            "size": size if isinstance(size := file.get("size"), int) and 0 <= size < _BIGGEST else 0,
            "url": _word(file.get("content_url")),
        }
        for file in files[:_MOST_FILES]
    ]


def _part(body: Json, name: str) -> Json:
    """A member that ought to be an object, or an empty one."""
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def _word(value: object) -> str:
    """A string or a number as text; anything else is nothing."""
    return str(value) if isinstance(value, str | int) else ""


def _channel(body: Json) -> Channel:
    name = _word(_part(body, "ticket").get("channel")).strip().lower()
    return _CHANNELS.get(name, Channel.OTHER)


def _instant(stamp: str) -> datetime:
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError:
        raise missing(_TIMESTAMP) from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
