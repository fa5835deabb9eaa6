"""What every sender's adapter offers: verify raw bytes, then parse them; it stores nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from support_agents.domain.ticket import InboundMessage


@dataclass(frozen=True)
class Unparseable:
    """A well-signed body of a shape we do not know; `reason` names places, never values."""

    reason: str


class Intake(Protocol):
    """One source of webhooks."""

    @property
    def source(self) -> str:
        """The name in `/webhooks/{source}`."""
        ...

    def verify(self, raw: bytes, headers: Mapping[str, str], now: datetime) -> None:
        """Raise `bad_signature` or `stale_signature` unless a secret of ours signed these bytes just now."""
        ...

    def parse(self, raw: bytes, received_at: datetime) -> InboundMessage | Unparseable:
        """Read a verified body; every possible body has an answer."""
        ...
