"""Table of what must not leave: a row is a stop by kind of action or by way; what is not there may leave."""

from datetime import datetime

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Identified, InWorkspace, database_now, one_of


class DispatchStopRow(Identified, InWorkspace, Base):
    """One stop; `stopped_by` is an operator's id or a part of the system."""

    __tablename__ = "dispatch_stops"
    __table_args__ = (UniqueConstraint("workspace_id", "scope", "what"), one_of("scope", ("kind", "way")))

    scope: Mapped[str] = mapped_column(String(10))
    what: Mapped[str] = mapped_column(String(50))
    stopped_at: Mapped[datetime] = mapped_column(server_default=database_now())
    stopped_by: Mapped[str] = mapped_column(String(100))
