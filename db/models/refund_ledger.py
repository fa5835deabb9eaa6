"""Tables of what may still be refunded per order; the sums can never exceed what was paid, by CHECK."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Created, Identified, InWorkspace, OutsideText, Uuid, one_of


class RefundEntryStatus(StrEnum):
    """Where reserved money stands."""

    RESERVED = "reserved"
    BOOKED = "booked"
    RELEASED = "released"


class OrderBalanceRow(Identified, InWorkspace, Created, Base):
    """One order's money; this row is locked while anything is reserved, booked or released."""

    __tablename__ = "order_balances"
    __table_args__ = (
        UniqueConstraint("workspace_id", "order_id"),
        CheckConstraint(
            "paid_minor >= 0 AND elsewhere_minor >= 0 AND booked_minor >= 0 AND reserved_minor >= 0",
            name="not_negative",
        ),
        CheckConstraint("elsewhere_minor + booked_minor + reserved_minor <= paid_minor", name="within_paid"),
    )

    order_id: Mapped[str] = mapped_column(OutsideText())
    currency: Mapped[str] = mapped_column(String(3))
    paid_minor: Mapped[int] = mapped_column(BigInteger())
    elsewhere_minor: Mapped[int] = mapped_column(BigInteger(), doc="refunded by others, as the order system said")
    booked_minor: Mapped[int] = mapped_column(BigInteger(), server_default="0", doc="refunded by us")
    reserved_minor: Mapped[int] = mapped_column(BigInteger(), server_default="0", doc="being refunded by us")


class RefundEntryRow(Identified, InWorkspace, Created, Base):
    """One approved refund's share of an order's money; an action has at most one."""

    __tablename__ = "refund_entries"
    __table_args__ = (
        one_of("status", RefundEntryStatus),
        CheckConstraint("amount_minor > 0", name="amount_minor"),
        UniqueConstraint("workspace_id", "action_id"),
        Index("ix_refund_entries_balance_id", "balance_id"),
        Index("ix_refund_entries_payment_ref", "workspace_id", "payment_ref"),
    )

    balance_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("order_balances.id"))
    execution_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("executions.id"))
    action_id: Mapped[UUID] = mapped_column(Uuid())
    amount_minor: Mapped[int] = mapped_column(BigInteger())
    currency: Mapped[str] = mapped_column(String(3))
    status: Mapped[str] = mapped_column(String(20))
    payment_ref: Mapped[str] = mapped_column(OutsideText(), server_default="", doc="the payment that is refunded")
    settled_at: Mapped[datetime | None]
