"""What every payment provider's adapter offers: verify raw bytes, read what they tell of refunds; it stores nothing."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

from api.intake.protocol import Unparseable
from db.repositories.provider_events import NewProviderEvent
from support_agents.domain.ids import ActionId

LONGEST_ID = 300


class ProviderIntake(Protocol):
    """One payment provider's webhooks."""

    @property
    def source(self) -> str:
        """The name in `/webhooks/{source}`."""
        ...

    async def verify(self, raw: bytes, headers: Mapping[str, str], now: datetime) -> None:
        """Raise `bad_signature` or `stale_signature` unless the provider signed these bytes; may ask the provider."""
        ...

    def parse(self, raw: bytes, received_at: datetime) -> NewProviderEvent | Unparseable:
        """Read a verified body; every possible body has an answer."""
        ...


def action_of(text: str | None) -> ActionId | None:
    """Return our action's id, if that is what this is."""
    try:
        return ActionId(UUID(text or ""))
    except ValueError:
        return None
