"""Tables of people on our side, their sessions, their tokens, and what slows guessing down."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Created, Identified, InWorkspace, PersonalText, Uuid, one_of
from support_agents.domain.approval import Role


class OperatorRow(Identified, InWorkspace, Created, Base):
    """A person who may sign in; found by a hash of the normalised address."""

    __tablename__ = "operators"
    __table_args__ = (UniqueConstraint("workspace_id", "email_hash"), one_of("role", Role))

    email: Mapped[str] = mapped_column(PersonalText())
    email_hash: Mapped[str]
    name: Mapped[str] = mapped_column(PersonalText())
    role: Mapped[str]
    password_hash: Mapped[str | None]
    disabled_at: Mapped[datetime | None]
    languages: Mapped[str] = mapped_column(server_default="", doc="ISO 639-1 codes read, space separated; '': any")
    skills: Mapped[str] = mapped_column(server_default="", doc="intents taken, space separated; '': any")
    away_from: Mapped[datetime | None]
    away_until: Mapped[datetime | None]
    delegate_id: Mapped[UUID | None] = mapped_column(Uuid(), ForeignKey("operators.id"), doc="who stands in while away")


class SessionRow(Identified, InWorkspace, Created, Base):
    """An interactive session: only signing in makes one, and it is ended, never deleted."""

    __tablename__ = "sessions"
    __table_args__ = (
        UniqueConstraint("workspace_id", "token_hash"),
        UniqueConstraint("workspace_id", "operator_id", "id"),
        Index("ix_sessions_operator_id", "operator_id"),
        Index("ix_sessions_token_hash", "token_hash"),
        Index("ix_sessions_previous_token_hash", "previous_token_hash"),
        one_of("origin", ("password", "link", "slack")),
    )

    operator_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("operators.id"))
    origin: Mapped[str]
    token_hash: Mapped[str]
    previous_token_hash: Mapped[str | None]
    rotated_at: Mapped[datetime]
    csrf_secret: Mapped[str]
    seen_at: Mapped[datetime]
    idle_until: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    factor_proved_at: Mapped[datetime | None]


class ApiTokenRow(Identified, InWorkspace, Created, Base):
    """A bearer token: reads and cancels within its scopes, never decides."""

    __tablename__ = "api_tokens"
    __table_args__ = (UniqueConstraint("workspace_id", "token_hash"),)

    name: Mapped[str] = mapped_column(PersonalText())
    token_hash: Mapped[str]
    scopes: Mapped[str]
    created_by: Mapped[UUID | None] = mapped_column(Uuid(), ForeignKey("operators.id"))
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]


class SignInLinkRow(Identified, InWorkspace, Created, Base):
    """A sign-in link that works once."""

    __tablename__ = "sign_in_links"
    __table_args__ = (UniqueConstraint("workspace_id", "token_hash"),)

    operator_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("operators.id"))
    token_hash: Mapped[str]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SignInFailureRow(Identified, InWorkspace, Created, Base):
    """Failed attempts counted by a hashed key (an address, a network peer), known to us or not."""

    __tablename__ = "sign_in_failures"
    __table_args__ = (UniqueConstraint("workspace_id", "key_hash"),)

    key_hash: Mapped[str]
    failures: Mapped[int]
    since: Mapped[datetime]
    locked_until: Mapped[datetime | None]
