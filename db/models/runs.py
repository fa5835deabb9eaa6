"""Tables of runs and their sections, which are written once."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, PrimaryKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Created, Identified, InWorkspace, Json, PersonalText, Uuid, one_of
from support_agents.domain.runs import Outcome
from support_agents.domain.sections import SectionName, Writer

OPEN = text("status = 'open'")
CHILD = text("parent_run_id IS NOT NULL")


class RunRow(Identified, InWorkspace, Created, Base):
    """One passage of a ticket through the pipeline; `event_id` is the outbox row that it answers.

    One with a parent wrote whole what the parent's deadline cut; a run has at most one such child.
    """

    __tablename__ = "runs"
    __table_args__ = (
        Index("uq_runs_open", "workspace_id", "ticket_id", unique=True, sqlite_where=OPEN, postgresql_where=OPEN),
        Index(None, "ticket_id", "id"),
        Index("ix_runs_finished", "workspace_id", "finished_at"),
        Index("ix_runs_created_at", "workspace_id", "created_at"),
        Index(
            "uq_runs_parent", "parent_run_id", "workspace_id", unique=True, sqlite_where=CHILD, postgresql_where=CHILD
        ),
        one_of("status", ("open", "finished")),
        one_of("outcome", Outcome),
    )

    ticket_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("tickets.id"))
    ticket_revision: Mapped[int]
    parent_run_id: Mapped[UUID | None] = mapped_column(Uuid())
    event_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("outbox.id"))
    attempt: Mapped[int] = mapped_column(default=1)
    status: Mapped[str] = mapped_column(default="open")
    outcome: Mapped[str | None]
    reason: Mapped[str] = mapped_column(PersonalText(), default="")
    actions: Mapped[str] = mapped_column(PersonalText(), default="[]")
    timings: Mapped[list[Any]] = mapped_column(Json, default=list)
    model_calls: Mapped[list[Any]] = mapped_column(Json, default=list)
    versions: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    received_at: Mapped[datetime]
    begun_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    total_ms: Mapped[float | None]
    late: Mapped[bool] = mapped_column(default=False)
    salt: Mapped[str | None]
    outlier: Mapped[dict[str, Any] | None] = mapped_column(Json, doc="the run in numbers; no text from outside")


class RunSectionRow(InWorkspace, Created, Base):
    """One agent's part of a run, as JSON; a trigger refuses update and delete."""

    __tablename__ = "run_sections"
    __table_args__ = (
        PrimaryKeyConstraint("run_id", "section"),
        ForeignKeyConstraint(["run_id"], ["runs.id"]),
        one_of("section", SectionName),
        one_of("writer", Writer),
    )

    run_id: Mapped[UUID] = mapped_column(Uuid())
    section: Mapped[str]
    writer: Mapped[str]
    content: Mapped[str] = mapped_column(PersonalText())
