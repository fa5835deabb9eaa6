"""Tables of tickets and their messages."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Created, Identified, InWorkspace, OutsideText, PersonalText, Uuid, one_of
from support_agents.domain.ticket import Author, Channel

NEEDS_PERSON = text("needs_person_reason IS NOT NULL")


class TicketRow(Identified, InWorkspace, Created, Base):
    """One problem; `*_revision` columns say at which revision something last happened, 0 = never."""

    __tablename__ = "tickets"
    __table_args__ = (
        UniqueConstraint("workspace_id", "source", "external_id"),
        Index(None, "subject_id"),
        Index("ix_tickets_newest", "workspace_id", "changed_at", "id"),
        Index(
            "ix_tickets_needs_person", "workspace_id", "id", sqlite_where=NEEDS_PERSON, postgresql_where=NEEDS_PERSON
        ),
        one_of("status", ("open", "solved", "closed", "merged")),
        one_of("channel", Channel),
    )

    source: Mapped[str]
    external_id: Mapped[str] = mapped_column(OutsideText())
    subject_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("subjects.id"))
    subject: Mapped[str] = mapped_column(PersonalText())
    requester_email: Mapped[str] = mapped_column(PersonalText())
    requester_name: Mapped[str] = mapped_column(PersonalText())
    requester_verified: Mapped[bool]
    channel: Mapped[str]
    order_id: Mapped[str | None] = mapped_column(PersonalText())
    status: Mapped[str] = mapped_column(default="open")
    revision: Mapped[int] = mapped_column(default=0)
    sender_revision: Mapped[int | None]
    customer_revision: Mapped[int] = mapped_column(default=0)
    operator_revision: Mapped[int] = mapped_column(default=0)
    answered_revision: Mapped[int] = mapped_column(default=0)
    customer_received_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]
    needs_person_reason: Mapped[str | None] = mapped_column(PersonalText())


class MessageRow(Identified, InWorkspace, Created, Base):
    """One message; `revision` is the ticket's after it, `ours` marks the echo of what we sent."""

    __tablename__ = "messages"
    __table_args__ = (
        Index(None, "ticket_id", "written_at", "id"),
        one_of("author", Author),
    )

    ticket_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("tickets.id"))
    inbox_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("inbox.id"))
    external_id: Mapped[str] = mapped_column(OutsideText())
    author: Mapped[str]
    public: Mapped[bool]
    automatic: Mapped[bool]
    ours: Mapped[bool]
    revision: Mapped[int]
    text: Mapped[str] = mapped_column(PersonalText())
    html: Mapped[str | None] = mapped_column(PersonalText())
    attachments: Mapped[str] = mapped_column(PersonalText())
    written_at: Mapped[datetime]
    received_at: Mapped[datetime]
