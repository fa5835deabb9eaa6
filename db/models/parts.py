"""Table of what was in parts that have been taken off: hashes and counts only, insert-only."""

from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Created, Identified, InWorkspace, Json, Uuid


class PartManifestRow(Identified, InWorkspace, Created, Base):
    """What one part held of one workspace; `mac` is made with the key of the audit's seals."""

    __tablename__ = "part_manifests"
    __table_args__ = (
        UniqueConstraint("workspace_id", "part", "mac"),
        Index("ix_part_manifests_last_seq", "workspace_id", "last_seq"),
    )

    parted: Mapped[str]
    part: Mapped[str]
    before: Mapped[UUID] = mapped_column(Uuid(), doc="every key of the part is below it")
    held: Mapped[int]
    first: Mapped[UUID] = mapped_column(Uuid())
    last: Mapped[UUID] = mapped_column(Uuid())
    digest: Mapped[str]
    spans: Mapped[list[Any]] = mapped_column(Json, doc="audit: [first seq, last seq, seal before, last seal] each")
    last_seq: Mapped[int | None]
    last_seal: Mapped[str | None]
    mac: Mapped[str]
