"""Table of what well-signed senders sent, raw, once each."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Created, Identified, InWorkspace, OutsideText, PersonalBytes


class InboxRow(Identified, InWorkspace, Created, Base):
    """One event; its key comes from signed content and outlives the payload."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("workspace_id", "source", "external_ticket", "event_kind", "event_key"),
        Index(
            "ix_inbox_buried",
            "workspace_id",
            "id",
            sqlite_where=text("buried_reason IS NOT NULL"),
            postgresql_where=text("buried_reason IS NOT NULL"),
        ),
    )

    source: Mapped[str]
    external_ticket: Mapped[str] = mapped_column(OutsideText())
    event_kind: Mapped[str]
    event_key: Mapped[str] = mapped_column(OutsideText())
    raw: Mapped[bytes | None] = mapped_column(PersonalBytes())
    received_at: Mapped[datetime]
    buried_reason: Mapped[str | None] = mapped_column(OutsideText())
