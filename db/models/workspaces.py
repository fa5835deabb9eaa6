"""Table of workspaces: whose data it is, how far replies may go, and whether dispatch is stopped."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Created, Identified, Uuid, one_of
from support_agents.domain.approval import Mode


class WorkspaceRow(Identified, Created, Base):
    """One organisation; `epoch` changes whenever an admin adopts a restored database."""

    __tablename__ = "workspaces"
    __table_args__ = (one_of("mode", Mode),)

    name: Mapped[str]
    mode: Mapped[str] = mapped_column(default=Mode.REPLY)
    epoch: Mapped[UUID | None] = mapped_column(Uuid())
    paused_at: Mapped[datetime | None]
    quarantined_at: Mapped[datetime | None]
    quarantine_reason: Mapped[str | None]
