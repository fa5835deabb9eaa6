"""Tables of what one customer, order or instrument was granted, and when; rows are given back, never removed."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Identified, InWorkspace, OutsideText, Uuid, one_of


class MoneySubjectRow(Identified, InWorkspace, Base):
    """Whose money is added up in one currency; the row is locked while a claim is made."""

    __tablename__ = "money_subjects"
    __table_args__ = (
        UniqueConstraint("workspace_id", "per", "holder", "currency"),
        one_of("per", ("customer", "order", "instrument")),
    )

    per: Mapped[str] = mapped_column(String(20))
    holder: Mapped[str] = mapped_column(OutsideText(), doc="a subject's id, an order's id, an instrument's name")
    currency: Mapped[str] = mapped_column(String(3))


class MoneyClaimRow(Identified, InWorkspace, Base):
    """One approved request's amount against one subject; given back when nothing came of it."""

    __tablename__ = "money_claims"
    __table_args__ = (
        UniqueConstraint("workspace_id", "request_id", "subject_id"),
        CheckConstraint("minor > 0", name="minor"),
        Index("ix_money_claims_subject_id", "subject_id", "claimed_at"),
        Index("ix_money_claims_request_id", "request_id"),
    )

    subject_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("money_subjects.id"))
    request_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("approval_requests.id"))
    minor: Mapped[int] = mapped_column(BigInteger())
    day: Mapped[date] = mapped_column(Date(), doc="the business day that it counts in")
    claimed_at: Mapped[datetime]
    released_at: Mapped[datetime | None]
