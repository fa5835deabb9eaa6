"""Tables of what a team messenger shows of our requests: messages, soft claims, notices; none of them decides."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Created, Identified, InWorkspace, OutsideText, Uuid, one_of

NOTICE_KINDS = ("summary", "reminder", "escalation")


class PostedCardRow(Identified, InWorkspace, Created, Base):
    """One message that shows one request: which version of it was last accepted there, and when."""

    __tablename__ = "posted_cards"
    __table_args__ = (
        UniqueConstraint("workspace_id", "request_id", "place"),
        # Several are not posted yet: their `ref` is NULL, which is equal to nothing.
        UniqueConstraint("workspace_id", "place", "ref"),
        Index("ix_posted_cards_request_id", "request_id"),
    )

    request_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("approval_requests.id"))
    place: Mapped[str] = mapped_column(OutsideText(), doc="channel or conversation, as the messenger names it")
    ref: Mapped[str | None] = mapped_column(OutsideText(), doc="the messenger's id of the message; NULL: not posted")
    fingerprint: Mapped[str | None] = mapped_column(String(64), doc="of the card that was last accepted")
    version: Mapped[int] = mapped_column(Integer(), server_default="0", doc="counts accepted renderings")
    rendered_at: Mapped[datetime | None] = mapped_column(doc="when the messenger last accepted a rendering")
    leased_until: Mapped[datetime | None] = mapped_column(doc="one worker at a time talks to the messenger about it")
    failures: Mapped[int] = mapped_column(Integer(), server_default="0", doc="in a row")
    error: Mapped[str | None] = mapped_column(String(100), doc="code of the last failure")
    retired_at: Mapped[datetime | None] = mapped_column(doc="the message is gone: it is not painted any more")


class CardClaimRow(Identified, InWorkspace, Created, Base):
    """Who looks at a request now, softly: others see it and may still decide."""

    __tablename__ = "card_claims"
    __table_args__ = (
        UniqueConstraint("workspace_id", "request_id"),
        Index("ix_card_claims_operator_id", "operator_id"),
        Index("ix_card_claims_request_id", "request_id"),
    )

    request_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("approval_requests.id"))
    operator_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("operators.id"))
    claimed_until: Mapped[datetime]


class NoticeRow(Identified, InWorkspace, Created, Base):
    """A summary, reminder or escalation that is sent once: the key says which one it is."""

    __tablename__ = "notices"
    __table_args__ = (UniqueConstraint("workspace_id", "kind", "key", "place"), one_of("kind", NOTICE_KINDS))

    kind: Mapped[str] = mapped_column(String(20))
    key: Mapped[str] = mapped_column(String(100), doc="an hour, or a request's id with its share of the time limit")
    place: Mapped[str] = mapped_column(OutsideText())
    sent_at: Mapped[datetime | None]
