"""Tables of the people whose data is held, found by keyed hashes so that one can be erased."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Created, Identified, InWorkspace, Uuid, one_of


class SubjectRow(Identified, InWorkspace, Created, Base):
    """A person outside the organisation."""

    __tablename__ = "subjects"

    erased_at: Mapped[datetime | None]


class SubjectIdentifierRow(Identified, InWorkspace, Created, Base):
    """A keyed hash of a normalised e-mail address or telephone number of a subject."""

    __tablename__ = "subject_identifiers"
    __table_args__ = (
        UniqueConstraint("workspace_id", "kind", "hash"),
        Index(None, "subject_id"),
        one_of("kind", ("email", "phone")),
    )

    subject_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("subjects.id"))
    kind: Mapped[str]
    hash: Mapped[str]
