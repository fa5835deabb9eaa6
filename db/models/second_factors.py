"""Tables of second factors: secrets are sealed and codes hashed before they get here."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Created, Identified, InWorkspace, Uuid


class SecondFactorRow(Identified, InWorkspace, Created, Base):
    """One operator's factor; it counts from `confirmed_at`, and no step up to `last_step` is taken again."""

    __tablename__ = "second_factors"
    __table_args__ = (UniqueConstraint("workspace_id", "operator_id"),)

    operator_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("operators.id"))
    sealed: Mapped[bytes] = mapped_column(LargeBinary())
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int] = mapped_column(BigInteger(), server_default="0")


class RecoveryCodeRow(Identified, InWorkspace, Created, Base):
    """A code that stands for the factor once."""

    __tablename__ = "recovery_codes"
    __table_args__ = (UniqueConstraint("workspace_id", "operator_id", "code_hash"),)

    operator_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("operators.id"))
    code_hash: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime | None]
