"""Table of events committed with the state they tell of; ids and codes only."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Created, Identified, InWorkspace, Uuid, database_now, one_of
from support_agents.domain.events import EventName

WAITING = text("done_at IS NULL AND buried_at IS NULL")
UNDONE = text("done_at IS NULL")
BURIED = text("buried_at IS NOT NULL")


class OutboxRow(Identified, InWorkspace, Created, Base):
    """One event to dispatch, leased to one claimer at a time."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_due", "not_before", "id", sqlite_where=WAITING, postgresql_where=WAITING),
        Index("ix_outbox_undone_subject", "subject", sqlite_where=UNDONE, postgresql_where=UNDONE),
        Index("ix_outbox_buried", "workspace_id", "id", sqlite_where=BURIED, postgresql_where=BURIED),
        one_of("name", EventName),
    )

    name: Mapped[str]
    subject: Mapped[UUID] = mapped_column(Uuid())
    not_before: Mapped[datetime] = mapped_column(server_default=database_now())
    attempts: Mapped[int] = mapped_column(default=0)
    leased_until: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    buried_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
