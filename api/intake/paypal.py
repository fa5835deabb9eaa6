"""PayPal's webhooks: verified by PayPal itself, and what its events tell of refunds; it folds nothing."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote, urlsplit

import httpx
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from api.intake.protocol import Unparseable
from api.intake.provider import LONGEST_ID, action_of
from api.intake.refusal import refusal
from api.intake.signature import missing, require_recent
from db.models.provider_events import ProviderOutcome
from db.repositories.provider_events import NewProviderEvent
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import WorkspaceId

# Asks PayPal whether it signed these bytes; raises `httpx.HTTPError` when it does not answer.
Verify = Callable[[bytes, Mapping[str, str]], Awaitable[bool]]
_TIME = "paypal-transmission-time"
_REVERSED = "PAYMENT.CAPTURE.REVERSED"
_REFUNDED = "PAYMENT.CAPTURE.REFUNDED"
_OF_REFUNDS = "PAYMENT.REFUND."
_OUTCOMES = {
    "COMPLETED": ProviderOutcome.SUCCEEDED,
    "FAILED": ProviderOutcome.FAILED,
    "CANCELLED": ProviderOutcome.FAILED,
}


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Link(_Read):
    rel: str = ""
    href: str = Field(default="", max_length=2_000)


class _Resource(_Read):
    id: str = Field(default="", max_length=LONGEST_ID)
    status: str = ""
    custom_id: str | None = None
    links: tuple[_Link, ...] = ()

    @property
    def capture(self) -> str:
        """The payment that it belongs to."""
        up = next((urlsplit(link.href).path for link in self.links if link.rel == "up"), "")
        return unquote(up.rpartition("/captures/")[2]) if "/captures/" in up else ""


class _Event(_Read):
    id: str = Field(min_length=1, max_length=LONGEST_ID)
    event_type: str = Field(max_length=LONGEST_ID)
    create_time: AwareDatetime
    resource: _Resource = _Resource()


@dataclass(frozen=True)
class PayPalIntake:
    """A signature that cannot be checked now is neither good nor bad: PayPal delivers again."""

    check: Verify
    workspace: WorkspaceId
    source: str = "paypal"

    async def verify(self, raw: bytes, headers: Mapping[str, str], now: datetime) -> None:
        """Raise unless PayPal says that it signed these bytes; what is old at first sight is not even asked about."""
        try:
            at = datetime.fromisoformat(headers.get(_TIME, ""))
        except ValueError:
            raise missing(_TIME) from None
        if at.tzinfo is None:
            raise missing(_TIME)
        # Deliveries are repeated for three days under their first time: only the future is impossible.
        require_recent(max(at, now), now)
        try:
            genuine = await self.check(raw, headers)
        except (httpx.HTTPError, ValueError) as error:
            told = "PayPal could not be asked whether it sent this; it will deliver it again."
            raise SupportError("unavailable", told, retryable=True) from error
        if not genuine:
            raise SupportError("bad_signature", "PayPal says that it did not sign this body for our webhook.")

    def parse(self, raw: bytes, received_at: datetime) -> NewProviderEvent | Unparseable:
        """Read a refund's state, or a payment taken back; everything else is noted."""
        try:
            event = _Event.model_validate_json(raw)
        except ValidationError as error:
            return refusal(error)
        resource = event.resource
        about_refund = event.event_type == _REFUNDED or event.event_type.startswith(_OF_REFUNDS)
        outcome = ProviderOutcome.REVERSED if event.event_type == _REVERSED else ProviderOutcome.NOTED
        if about_refund:
            outcome = _OUTCOMES.get(resource.status, ProviderOutcome.PENDING)
        return NewProviderEvent(
            workspace_id=self.workspace,
            provider=self.source,
            event_id=event.id,
            kind=event.event_type,
            outcome=outcome,
            reference=resource.id if about_refund else "",
            payment_ref=resource.capture or ("" if about_refund else resource.id),
            action_id=action_of(resource.custom_id) if about_refund else None,
            occurred_at=event.create_time,
            received_at=received_at,
            raw=raw,
        )
