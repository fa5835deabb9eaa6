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
    HTTP = "http"


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
    authority: str = Field(default="", description="version of the authority table that it was put to people under")
    rule: str = Field(default="", description="the table's rule that says who must approve")
    tier: str = Field(default="standard", description="the customer's, as authenticated")
    dry_run: bool = Field(default=False, description="everything is done but the provider's effect")
    nonce: str = Field(pattern=r"^[0-9a-f]{64}$")

    @property
    def concerns(self) -> str:
        """Whose action it is: the address that it would reach or act for."""
        raise NotImplementedError

    @property
    def money(self) -> Money | None:
        """What it would pay."""
        return None


class Attached(BaseModel):
    """A knowledge base file as it is attached: the bytes by their hash, and all that is said of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    filename: str
    content_type: str
    size: int = Field(ge=0)


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
    attachments: tuple[Attached, ...] = ()
    dkim: str = Field(default="", description="`selector._domainkey.domain` that the letter is signed under")

    @property
    def concerns(self) -> str:
        """Its recipient."""
        return self.to[0]


class CanonicalRefund(CanonicalAction):
    """A refund of a payment, with the version of the order that it was decided on."""

    kind: Literal[ActionKind.ISSUE_REFUND] = ActionKind.ISSUE_REFUND
    order_id: str
    order_version: str
    payment_ref: str
    account_last4: str
    instrument: str = Field(default="", description="what was paid with; empty: told apart by payment only")
    amount: Money
    requester: str = Field(description="whose order it is, as the helpdesk authenticated them")
    gateway: str = Field(default="ledger", description="the payment provider that it was approved for")

    @property
    def concerns(self) -> str:
        """Whose money it is."""
        return self.requester

    @property
    def money(self) -> Money | None:
        """What is paid back."""
        return self.amount


class CanonicalStep(CanonicalAction):
    """A step in the shop's own systems, as the one request that carries it out."""

    order_id: str = Field(description="empty for what is about no order")
    order_version: str
    requester: str = Field(description="whose order or record it is, as the helpdesk authenticated them")
    url: str
    status_url: str
    body: str = Field(description="the request's body, byte for byte")

    @property
    def concerns(self) -> str:
        """Whose order or record it is."""
        return self.requester


class CanonicalCancelOrder(CanonicalStep):
    """The cancelling of an order."""

    kind: Literal[ActionKind.CANCEL_ORDER] = ActionKind.CANCEL_ORDER


class CanonicalReplaceOrder(CanonicalStep):
    """The sending of an order's item once more."""

    kind: Literal[ActionKind.REPLACE_ORDER] = ActionKind.REPLACE_ORDER


class CanonicalDeleteRecord(CanonicalStep):
    """The deleting of the requester's own record."""

    kind: Literal[ActionKind.DELETE_RECORD] = ActionKind.DELETE_RECORD


AnyStep = CanonicalCancelOrder | CanonicalReplaceOrder | CanonicalDeleteRecord
AnyAction = CanonicalReply | CanonicalRefund | AnyStep
Action = Annotated[AnyAction, Field(discriminator="kind")]
_ACTION: TypeAdapter[AnyAction] = TypeAdapter(Action)


@dataclass(frozen=True)
class Sealed:
    """Canonical bytes and their SHA-256 in hex."""

    canonical: bytes
    digest: str


def new_nonce() -> str:
    """Return 32 random bytes in hex."""
    return secrets.token_hex(NONCE_BYTES)


def seal(action: AnyAction) -> Sealed:
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


def unseal(sealed: Sealed) -> AnyAction:
    """Decode stored bytes after proving that they are the ones the digest was made of."""
    if not same_digest(digest_of(sealed.canonical), sealed.digest):
        raise SupportError("digest_mismatch", "the stored action is not the one that its digest was made of")
    try:
        return _ACTION.validate_json(sealed.canonical)
    except ValidationError as error:
        raise SupportError("unreadable_action", "the stored action cannot be read by this version") from error
