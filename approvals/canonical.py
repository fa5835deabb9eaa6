"""The canonical bytes of an action: made once, shown, decided on and executed from; never serialised a second time."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

import rfc8785
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from support_agents.domain.action import ActionKind, ClauseRef
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import ActionId, RunId, TicketId, WorkspaceId
from support_agents.domain.money import Money

NONCE_BYTES = 32


class Way(StrEnum):
    """By which executor an action leaves."""

    HELPDESK = "helpdesk"
    EMAIL = "email"
    PAYMENT = "payment"


class CanonicalAction(BaseModel):
    """What every action is bound to: place, state of the world, and a nonce that makes its digest unguessable."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)

    digest_version: Literal[1] = 1
    workspace: WorkspaceId
    ticket: TicketId
    source: str
    external_ticket: str
    revision: int = Field(ge=0, description="the ticket's revision that was read")
    seen_until: datetime = Field(description="time of the newest public message that was read")
    run: RunId
    action: ActionId
    after: ActionId | None = None
    way: Way
    live: bool
    clauses: tuple[ClauseRef, ...]
    nonce: str = Field(pattern=r"^[0-9a-f]{64}$")


class CanonicalReply(CanonicalAction):
    """A reply, complete: nothing of what is sent is decided after this."""

    kind: Literal[ActionKind.SEND_REPLY] = ActionKind.SEND_REPLY
    sender: str
    to: tuple[str, ...] = Field(min_length=1, max_length=1)
    cc: tuple[str, ...] = ()
    subject: str
    text: str
    html: str
    headers: tuple[tuple[str, str], ...] = Field(default=(), description="every further header, in order")
    attachments: tuple[str, ...] = Field(default=(), description="SHA-256 of each attached file")


class CanonicalRefund(CanonicalAction):
    """A refund of a payment, with the version of the order that it was decided on."""

    kind: Literal[ActionKind.ISSUE_REFUND] = ActionKind.ISSUE_REFUND
    order_id: str
    order_version: str
    payment_ref: str
    account_last4: str
    amount: Money
    requester: str = Field(description="whose order it is, as the helpdesk authenticated them")


Action = Annotated[CanonicalReply | CanonicalRefund, Field(discriminator="kind")]
_ACTION: TypeAdapter[CanonicalReply | CanonicalRefund] = TypeAdapter(Action)


@dataclass(frozen=True)
class Sealed:
    """Canonical bytes and their SHA-256 in hex."""

    canonical: bytes
    digest: str


def new_nonce() -> str:
    """Return 32 random bytes in hex."""
    return secrets.token_hex(NONCE_BYTES)


def seal(action: CanonicalReply | CanonicalRefund) -> Sealed:
    """Make the canonical bytes (RFC 8785) of an action; called once in an action's life."""
    try:
        canonical = rfc8785.dumps(action.model_dump(mode="json"))
    except rfc8785.CanonicalizationError as error:
        raise SupportError("not_canonical", f"the action cannot be written down exactly: {error}") from error
    return Sealed(canonical=canonical, digest=digest_of(canonical))


def digest_of(canonical: bytes) -> str:
    """Return the SHA-256 of canonical bytes in hex."""
    return hashlib.sha256(canonical).hexdigest()


def same_digest(left: str, right: str) -> bool:
    """Compare two digests in constant time; anything that is not ASCII equals nothing."""
    return left.isascii() and right.isascii() and hmac.compare_digest(left, right)


def unseal(sealed: Sealed) -> CanonicalReply | CanonicalRefund:
    """Decode stored bytes after proving that they are the ones the digest was made of."""
    if not same_digest(digest_of(sealed.canonical), sealed.digest):
        raise SupportError("digest_mismatch", "the stored action is not the one that its digest was made of")
    try:
        return _ACTION.validate_json(sealed.canonical)
    except ValidationError as error:
        raise SupportError("unreadable_action", "the stored action cannot be read by this version") from error
