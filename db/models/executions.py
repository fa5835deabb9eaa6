"""Tables of executions, their attempts; none exists without approving decisions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Created, Identified, InWorkspace, OutsideText, PersonalText, Uuid, one_of
from support_agents.domain.action import ActionKind
from support_agents.domain.approval import ExecutionStatus


class ExecutionRow(Identified, InWorkspace, Created, Base):
    """The carrying out of one approved request; its keys prove the approval and are never changed."""

    __tablename__ = "executions"
    __table_args__ = (
        one_of("status", ExecutionStatus),
        one_of("kind", ActionKind),
        CheckConstraint("verdict = 'approve'", name="verdict"),
        CheckConstraint("generation >= 1", name="generation"),
        UniqueConstraint("workspace_id", "request_id"),
        UniqueConstraint("workspace_id", "action_id"),
        ForeignKeyConstraint(
            ["decision_id", "request_id", "digest", "verdict"],
            ["decisions.id", "decisions.request_id", "decisions.digest", "decisions.verdict"],
        ),
        ForeignKeyConstraint(
            ["request_id", "digest"],
            ["approval_requests.id", "approval_requests.digest"],
        ),
        ForeignKeyConstraint(
            ["request_id", "action_id"],
            ["approval_requests.id", "approval_requests.action_id"],
        ),
        Index("ix_executions_status_next_check_at", "status", "next_check_at"),
        Index("ix_executions_ticket_id", "ticket_id"),
        Index("ix_executions_request_id", "request_id"),
        Index("ix_executions_created_at", "workspace_id", "created_at"),
    )

    request_id: Mapped[UUID] = mapped_column(Uuid())
    decision_id: Mapped[UUID] = mapped_column(Uuid())
    digest: Mapped[str] = mapped_column(String(64))
    verdict: Mapped[str] = mapped_column(String(20))
    action_id: Mapped[UUID] = mapped_column(Uuid())
    ticket_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("tickets.id"))
    kind: Mapped[str] = mapped_column(String(20))
    way: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(20))
    generation: Mapped[int] = mapped_column(Integer(), server_default="1")
    not_before: Mapped[datetime]
    next_check_at: Mapped[datetime | None] = mapped_column(doc="when to ask the provider again, while in doubt")
    checks: Mapped[int] = mapped_column(Integer(), server_default="0", doc="how often the provider was asked in vain")
    restored: Mapped[bool] = mapped_column(Boolean(), server_default=false(), doc="in doubt since a restore")
    reason: Mapped[str] = mapped_column(PersonalText(), server_default="")
    receipt: Mapped[str | None] = mapped_column(OutsideText(), doc="the provider's reference")
    finished_at: Mapped[datetime | None]


class AttemptRow(Identified, InWorkspace, Base):
    """One try at an execution: its key at the provider, its lease, its marker, what came of it."""

    __tablename__ = "attempts"
    __table_args__ = (
        UniqueConstraint("workspace_id", "execution_id", "generation"),
        UniqueConstraint("workspace_id", "key"),
        Index("ix_attempts_ticket_id", "ticket_id"),
        Index("ix_attempts_execution_id", "execution_id", "generation"),
        Index(
            "ix_attempts_marked_at",
            "marked_at",
            sqlite_where=text("marked_at IS NOT NULL"),
            postgresql_where=text("marked_at IS NOT NULL"),
        ),
    )

    execution_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("executions.id"))
    ticket_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("tickets.id"))
    generation: Mapped[int] = mapped_column(Integer())
    key: Mapped[str] = mapped_column(String(100), doc="`action id . generation`: idempotency key and comment marker")
    world: Mapped[str] = mapped_column(OutsideText(), doc="version of the world as re-read before the start")
    started_at: Mapped[datetime]
    leased_until: Mapped[datetime]
    marked_at: Mapped[datetime | None] = mapped_column(doc="mail only: set right before DATA")
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(20))
    receipt: Mapped[str | None] = mapped_column(OutsideText())
    error: Mapped[str | None] = mapped_column(PersonalText())
