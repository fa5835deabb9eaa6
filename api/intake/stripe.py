"""Stripe's webhooks: `Stripe-Signature` over raw bytes, and what its events tell of refunds; it folds nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.intake.protocol import Unparseable
from api.intake.provider import LONGEST_ID, action_of
from api.intake.refusal import refusal
from api.intake.signature import missing, require_match, require_recent
from db.models.provider_events import ProviderOutcome
from db.repositories.provider_events import NewProviderEvent
from support_agents.domain.ids import WorkspaceId

# As approvals.adapters.payments.stripe writes it.
ACTION = "support_action"
HEADER = "stripe-signature"
_MOST_SIGNATURES = 20
_LONGEST_STAMP = 12
_REFUND_EVENTS = frozenset({"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"})
_OUTCOMES = {
    "succeeded": ProviderOutcome.SUCCEEDED,
    "failed": ProviderOutcome.FAILED,
    "canceled": ProviderOutcome.FAILED,
}


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Subject(_Read):
    id: str = Field(default="", max_length=LONGEST_ID)
    status: str = ""
    charge: str | None = Field(default=None, max_length=LONGEST_ID)
    payment_intent: str | None = Field(default=None, max_length=LONGEST_ID)
    metadata: dict[str, Any] | None = None


class _Data(_Read):
    subject: _Subject = Field(validation_alias="object")


class _Event(_Read):
    id: str = Field(min_length=1, max_length=LONGEST_ID)
    type: str = Field(max_length=LONGEST_ID)
    created: int = Field(ge=0, le=2**40)
    livemode: bool
    data: _Data


@dataclass(frozen=True)
class StripeIntake:
    """`keys` are endpoint secrets as text, newest first; `live` is what our key is: the other kind's events are odd."""

    keys: tuple[bytes, ...]
    workspace: WorkspaceId
    live: bool
    source: str = "stripe"

    async def verify(self, raw: bytes, headers: Mapping[str, str], now: datetime) -> None:
        """Raise unless a key signed `time.body` within five minutes."""
        parts = [part.strip().partition("=") for part in headers.get(HEADER, "").split(",")[: _MOST_SIGNATURES + 1]]
        stamp = next((value for name, _, value in parts if name == "t"), "")
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= _LONGEST_STAMP):
            raise missing(HEADER)
        given = [_from_hex(value) for name, _, value in parts if name == "v1"]
        require_match(given, self.keys, f"{stamp}.".encode() + raw)
        require_recent(datetime.fromtimestamp(int(stamp), tz=UTC), now)

    def parse(self, raw: bytes, received_at: datetime) -> NewProviderEvent | Unparseable:
        """Read a refund's state; everything else is noted, with its payment if it has one."""
        try:
            event = _Event.model_validate_json(raw)
        except ValidationError as error:
            return refusal(error)
        if event.livemode is not self.live:
            return Unparseable("livemode: not that of the key in use")
        subject, about_refund = event.data.subject, event.type in _REFUND_EVENTS
        payment = subject.payment_intent or subject.charge or ("" if about_refund else subject.id)
        action = action_of(str((subject.metadata or {}).get(ACTION, ""))) if about_refund else None
        noted = ProviderOutcome.PENDING if about_refund else ProviderOutcome.NOTED
        return NewProviderEvent(
            workspace_id=self.workspace,
            provider=self.source,
            event_id=event.id,
            kind=event.type,
            outcome=_OUTCOMES.get(subject.status, noted) if about_refund else noted,
            reference=subject.id if about_refund else "",
            payment_ref=payment,
            action_id=action,
            occurred_at=datetime.fromtimestamp(event.created, tz=UTC),
            received_at=received_at,
            raw=raw,
        )


def _from_hex(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None
