"""Tables of articles and their passages; SQL holds them, an index is derived."""

from datetime import date
from uuid import UUID

from sqlalchemy import Date, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Created, Identified, InWorkspace, OutsideText, Uuid, one_of
from support_agents.domain.knowledge import Audience


class ArticleRow(Identified, InWorkspace, Created, Base):
    """One knowledge document as last synced."""

    __tablename__ = "articles"
    __table_args__ = (UniqueConstraint("workspace_id", "article_id"), one_of("audience", Audience))

    article_id: Mapped[str] = mapped_column(OutsideText())
    title: Mapped[str] = mapped_column(OutsideText())
    audience: Mapped[str]
    language: Mapped[str]
    updated: Mapped[date | None] = mapped_column(Date())
    verified_until: Mapped[date | None] = mapped_column(Date())
    content_hash: Mapped[str]


class PassageRow(Identified, InWorkspace, Created, Base):
    """A piece of an article in its place."""

    __tablename__ = "passages"
    __table_args__ = (
        UniqueConstraint("workspace_id", "article_row_id", "position"),
        Index("ix_passages_article_row_id", "article_row_id"),
    )

    article_row_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("articles.id"))
    position: Mapped[int]
    heading: Mapped[str] = mapped_column(OutsideText())
    text: Mapped[str] = mapped_column(OutsideText())
    content_hash: Mapped[str]
