"""Table of reversible steps that stay inside the organisation; nothing a customer could see is ever one."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Created, Identified, InWorkspace, PersonalText, Uuid, one_of


class InsideStepKind(StrEnum):
    """All kinds there are; the database knows no other."""

    NOTE = "note"
    TAG = "tag"
    GROUP = "group"
    PRIORITY = "priority"


class InsideStepStatus(StrEnum):
    """Where an inside step stands."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


class InsideStepRow(Identified, InWorkspace, Created, Base):
    """One inside step, for example a draft written to the ticket as an internal note."""

    __tablename__ = "inside_steps"
    __table_args__ = (
        one_of("kind", InsideStepKind),
        one_of("status", InsideStepStatus),
        UniqueConstraint("workspace_id", "run_id", "kind"),
        Index("ix_inside_steps_ticket_id", "ticket_id"),
    )

    ticket_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("tickets.id"))
    run_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("runs.id"))
    kind: Mapped[str] = mapped_column(String(20))
    body: Mapped[str] = mapped_column(PersonalText())
    ticket_revision: Mapped[int] = mapped_column(Integer())
    status: Mapped[str] = mapped_column(String(20))
    tries: Mapped[int] = mapped_column(Integer(), server_default="0")
    receipt: Mapped[str | None] = mapped_column(String(200))
    error: Mapped[str | None] = mapped_column(PersonalText())
    finished_at: Mapped[datetime | None]
