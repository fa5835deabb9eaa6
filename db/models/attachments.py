"""The table of what became of reading customers' files."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Created, Identified, InWorkspace, PersonalText, Uuid, one_of
from support_agents.domain.ticket import AttachmentOutcome

KEPT = text("forgotten_at IS NULL")


class AttachmentTextRow(Identified, InWorkspace, Created, Base):
    """One file of one message; `message_id` refers to `messages`, whose parts may be taken off, so by no foreign key.

    Once forgotten, name and text are empty, and the row says only that the file was asked for.
    """

    __tablename__ = "attachment_texts"
    __table_args__ = (
        UniqueConstraint("workspace_id", "message_id", "position"),
        Index(None, "ticket_id"),
        Index("ix_attachment_texts_kept", "created_at", sqlite_where=KEPT, postgresql_where=KEPT),
        one_of("outcome", AttachmentOutcome),
    )

    ticket_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("tickets.id"))
    message_id: Mapped[UUID] = mapped_column(Uuid())
    position: Mapped[int]
    outcome: Mapped[str]
    kind: Mapped[str] = mapped_column(String(10))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    tainted: Mapped[bool]
    cut: Mapped[bool]
    filename: Mapped[str] = mapped_column(PersonalText())
    text: Mapped[str] = mapped_column(PersonalText())
    forgotten_at: Mapped[datetime | None]
