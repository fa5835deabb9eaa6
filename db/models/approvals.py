"""Tables of approval requests, decisions and the money an operator let go in a day; rows of decisions never change."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Created, Identified, InWorkspace, OutsideText, PersonalBytes, PersonalText, Uuid, one_of
from support_agents.domain.action import ActionKind
from support_agents.domain.approval import DecisionVerdict, RequestStatus, Role

# What may still lead to an execution and has none; those that waited for another action and were carried out, too.
OPEN = text("status = 'pending' OR (status = 'approved' AND after_action_id IS NOT NULL)")


class ApprovalRequestRow(Identified, InWorkspace, Created, Base):
    """The question put to people: canonical bytes, their digest, and the facts that decide who may answer."""

    __tablename__ = "approval_requests"
    __table_args__ = (
        one_of("status", RequestStatus),
        one_of("kind", ActionKind),
        CheckConstraint("length(digest) = 64", name="digest_length"),
        CheckConstraint("approvals_needed >= 1", name="approvals_needed"),
        CheckConstraint("managers_needed >= 0 AND managers_needed <= approvals_needed", name="managers_needed"),
        CheckConstraint("(amount_minor IS NULL) = (currency IS NULL)", name="money_whole"),
        CheckConstraint("kind <> 'issue_refund' OR amount_minor > 0", name="refund_has_amount"),
        UniqueConstraint("workspace_id", "action_id"),
        # Targets of composite foreign keys: a decision and an execution name the request together with its digest.
        UniqueConstraint("id", "digest"),
        UniqueConstraint("id", "action_id"),
        Index(
            "uq_approval_requests_one_pending",
            "workspace_id",
            "ticket_id",
            "kind",
            "target",
            unique=True,
            sqlite_where=text("status = 'pending'"),
            postgresql_where=text("status = 'pending'"),
        ),
        Index("ix_approval_requests_ticket_id", "ticket_id"),
        Index("ix_approval_requests_status_expires_at", "workspace_id", "status", "expires_at"),
        Index("ix_approval_requests_after_action_id", "after_action_id"),
        Index("ix_approval_requests_created_at", "workspace_id", "created_at"),
        Index("ix_approval_requests_open", "id", sqlite_where=OPEN, postgresql_where=OPEN),
    )

    ticket_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("tickets.id"))
    run_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("runs.id"))
    action_id: Mapped[UUID] = mapped_column(Uuid())
    kind: Mapped[str] = mapped_column(String(20))
    ref: Mapped[str] = mapped_column(String(100))
    target: Mapped[str] = mapped_column(OutsideText(), doc="what is acted upon: `requester`, or the order's id")
    way: Mapped[str] = mapped_column(String(20), doc="which executor carries it out")
    canonical: Mapped[bytes] = mapped_column(PersonalBytes())
    digest: Mapped[str] = mapped_column(String(64))
    ticket_revision: Mapped[int] = mapped_column(Integer())
    amount_minor: Mapped[int | None] = mapped_column(BigInteger())
    currency: Mapped[str | None] = mapped_column(String(3))
    approvals_needed: Mapped[int] = mapped_column(Integer())
    managers_needed: Mapped[int] = mapped_column(Integer())
    after_action_id: Mapped[UUID | None] = mapped_column(Uuid())
    status: Mapped[str] = mapped_column(String(20))
    expires_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_reason: Mapped[str | None] = mapped_column(PersonalText())
    supersedes_id: Mapped[UUID | None] = mapped_column(Uuid(), ForeignKey("approval_requests.id"))
    authority_version: Mapped[str] = mapped_column(String(16), server_default="")
    authority_rule: Mapped[str] = mapped_column(String(200), server_default="")
    customer_tier: Mapped[str] = mapped_column(String(100), server_default="standard")
    undo_seconds: Mapped[int | None] = mapped_column(Integer(), doc="how long it can be taken back; None: as usual")
    seeded_by: Mapped[UUID | None] = mapped_column(
        Uuid(), doc="a manager's check of attention: never carried out, whatever is decided"
    )


class DecisionRow(Identified, InWorkspace, Created, Base):
    """One person's answer, given in an interactive session, to one request at one digest."""

    __tablename__ = "decisions"
    __table_args__ = (
        one_of("verdict", DecisionVerdict),
        one_of("role", Role),
        UniqueConstraint("workspace_id", "request_id", "operator_id"),
        UniqueConstraint("id", "request_id", "digest", "verdict"),
        ForeignKeyConstraint(["request_id", "digest"], ["approval_requests.id", "approval_requests.digest"]),
        ForeignKeyConstraint(
            ["workspace_id", "operator_id", "session_id"],
            ["sessions.workspace_id", "sessions.operator_id", "sessions.id"],
        ),
        Index("ix_decisions_operator_id", "operator_id"),
        Index("ix_decisions_request_id", "request_id"),
        Index("ix_decisions_session_id", "session_id"),
        Index("ix_decisions_created_at", "workspace_id", "created_at"),
    )

    request_id: Mapped[UUID] = mapped_column(Uuid())
    digest: Mapped[str] = mapped_column(String(64))
    operator_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("operators.id"))
    session_id: Mapped[UUID] = mapped_column(Uuid())
    role: Mapped[str] = mapped_column(String(20), doc="the operator's role when deciding")
    verdict: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(PersonalText(), server_default="")
    seal: Mapped[str] = mapped_column(String(64), server_default="")


class OperatorMoneyRow(Identified, InWorkspace, Base):
    """What one operator let go in one day and currency; the row is locked while money is reserved in it."""

    __tablename__ = "operator_money"
    __table_args__ = (
        UniqueConstraint("workspace_id", "operator_id", "day", "currency"),
        CheckConstraint("reserved_minor >= 0", name="reserved_minor"),
    )

    operator_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("operators.id"))
    day: Mapped[date] = mapped_column(Date())
    currency: Mapped[str] = mapped_column(String(3))
    reserved_minor: Mapped[int] = mapped_column(BigInteger(), server_default="0")
