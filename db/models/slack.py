"""Tables of who is who in Slack, and what Slack has delivered already."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Created, Identified, InWorkspace, OutsideText, Uuid, one_of

LIVE = text("ended_at IS NULL")


class LinkEnd(StrEnum):
    """Why a Slack account no longer acts for an operator."""

    UNLINKED = "unlinked"
    FROZEN = "frozen"
    REPLACED = "replaced"


class SlackLinkRow(Identified, InWorkspace, Created, Base):
    """A Slack account that acts for an operator, through a session of its own; ended, never deleted."""

    __tablename__ = "slack_links"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "operator_id", "session_id"],
            ["sessions.workspace_id", "sessions.operator_id", "sessions.id"],
        ),
        one_of("ended_reason", LinkEnd),
        Index(
            "uq_slack_links_account",
            *("workspace_id", "team_id", "user_id"),
            unique=True,
            sqlite_where=LIVE,
            postgresql_where=LIVE,
        ),
        Index("ix_slack_links_operator_id", "operator_id"),
    )

    operator_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("operators.id"))
    session_id: Mapped[UUID] = mapped_column(Uuid())
    team_id: Mapped[str] = mapped_column(OutsideText())
    enterprise_id: Mapped[str] = mapped_column(OutsideText(), server_default="")
    user_id: Mapped[str] = mapped_column(OutsideText())
    ended_at: Mapped[datetime | None]
    ended_reason: Mapped[str | None] = mapped_column(String(20))


class SlackLinkCodeRow(Identified, InWorkspace, Created, Base):
    """A code that links one Slack account once, made in a console session; only its hash is kept."""

    __tablename__ = "slack_link_codes"
    __table_args__ = (UniqueConstraint("workspace_id", "code_hash"),)

    operator_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("operators.id"))
    code_hash: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SlackDeliveryRow(Identified, InWorkspace, Created, Base):
    """A delivery that was taken: a signature, or an event's id, hashed; forgotten when it could no longer come back."""

    __tablename__ = "slack_deliveries"
    __table_args__ = (
        UniqueConstraint("workspace_id", "key_hash"),
        Index("ix_slack_deliveries_expires_at", "expires_at"),
    )

    key_hash: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[datetime]
