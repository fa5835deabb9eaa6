"""Table of what happened: ids and codes only, insert-only but for the seal."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Identified, InWorkspace, Json, UtcDateTime, Uuid, database_now

UNSEALED = text("sealed_seq IS NULL")


class AuditRow(Identified, InWorkspace, Base):
    """One entry; the sealer fills `salt`, `commitment`, `sealed_seq` and `seal`, once."""

    __tablename__ = "audit"
    __table_args__ = (
        UniqueConstraint("workspace_id", "sealed_seq"),
        Index("ix_audit_unsealed", "workspace_id", "id", sqlite_where=UNSEALED, postgresql_where=UNSEALED),
        Index("ix_audit_subject", "subject"),
    )

    at: Mapped[datetime] = mapped_column(UtcDateTime(), server_default=database_now())
    event: Mapped[str]
    subject: Mapped[UUID] = mapped_column(Uuid())
    actor: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(Json)
    salt: Mapped[str | None]
    commitment: Mapped[str | None]
    sealed_seq: Mapped[int | None]
    seal: Mapped[str | None]
