"""The table of what people say a message was about."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Created, Identified, InWorkspace, PersonalText, Uuid


class IntentCorrectionRow(Identified, InWorkspace, Created, Base):
    """A run's message with the intent a person gave it; the newest answer counts, and it goes with its subject."""

    __tablename__ = "intent_corrections"
    __table_args__ = (
        UniqueConstraint("workspace_id", "run_id"),
        Index(None, "subject_id"),
        Index(None, "workspace_id", "id"),
    )

    run_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("runs.id"))
    subject_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("subjects.id"))
    operator_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("operators.id"))
    text: Mapped[str] = mapped_column(PersonalText())
    language: Mapped[str] = mapped_column(String(20))
    guessed: Mapped[str] = mapped_column(String(100), doc="the model's best intent")
    intent: Mapped[str] = mapped_column(String(100))
    model_version: Mapped[str] = mapped_column(String(200))
