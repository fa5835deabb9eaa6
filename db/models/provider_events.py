"""Table of what payment providers and mail servers told us afterwards, signed, raw, once each."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Created, Identified, InWorkspace, OutsideText, PersonalBytes, Uuid, one_of


class ProviderOutcome(StrEnum):
    """What an event says of an effect; `noted` says nothing that we act on."""

    NOTED = "noted"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REVERSED = "reversed"


class ProviderEventRow(Identified, InWorkspace, Created, Base):
    """One event; a provider may deliver it several times and in any order."""

    __tablename__ = "provider_events"
    __table_args__ = (
        one_of("outcome", ProviderOutcome),
        UniqueConstraint("workspace_id", "provider", "event_id"),
        Index("ix_provider_events_reference", "workspace_id", "reference", "outcome"),
    )

    provider: Mapped[str] = mapped_column(String(20))
    event_id: Mapped[str] = mapped_column(OutsideText())
    kind: Mapped[str] = mapped_column(OutsideText())
    outcome: Mapped[str] = mapped_column(String(20))
    reference: Mapped[str] = mapped_column(OutsideText(), doc="the provider's reference of the effect, as in a receipt")
    payment_ref: Mapped[str] = mapped_column(OutsideText())
    action_id: Mapped[UUID | None] = mapped_column(Uuid(), doc="our action, where the event carries it")
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime]
    raw: Mapped[bytes | None] = mapped_column(PersonalBytes())
