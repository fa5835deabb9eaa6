"""Tables of what people changed in replies, and of what they typed in vain."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Created, Identified, InWorkspace, PersonalText, Uuid


class ReplyEditRow(Identified, InWorkspace, Created, Base):
    """What a person changed in a reply, as a unified diff; a trigger refuses update and delete."""

    __tablename__ = "reply_edits"
    __table_args__ = (
        Index("ix_reply_edits_request_id", "request_id"),
        Index("ix_reply_edits_replaced_by_id", "replaced_by_id"),
    )

    request_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("approval_requests.id"))
    replaced_by_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("approval_requests.id"))
    operator_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("operators.id"))
    diff: Mapped[str] = mapped_column(PersonalText())


class UnsentEditRow(Identified, InWorkspace, Created, Base):
    """What an operator typed for a ticket's reply that something else then overtook; kept until it is used."""

    __tablename__ = "unsent_edits"
    __table_args__ = (
        UniqueConstraint("workspace_id", "operator_id", "ticket_id"),
        Index("ix_unsent_edits_ticket_id", "ticket_id"),
    )

    operator_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("operators.id"))
    ticket_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("tickets.id"))
    request_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("approval_requests.id"))
    text: Mapped[str] = mapped_column(PersonalText())
