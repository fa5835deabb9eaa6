"""Table of the secret keys that something stored depends on: their fingerprints, never a key that can be used."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Created, Identified, InWorkspace, Json, one_of

KINDS = ("installation", "decisions")


class SecretKeyRow(Identified, InWorkspace, Created, Base):
    """A key that was in use; from `retired_at` on nothing needs it but what `kept` holds, sealed under a later key."""

    __tablename__ = "secret_keys"
    __table_args__ = (UniqueConstraint("workspace_id", "kind", "fingerprint"), one_of("kind", KINDS))

    kind: Mapped[str]
    fingerprint: Mapped[str] = mapped_column(String(16), doc="tells keys apart and nothing about them")
    retired_at: Mapped[datetime | None]
    sealed_to: Mapped[int | None] = mapped_column(BigInteger(), doc="the audit's last entry that it may have sealed")
    kept: Mapped[dict[str, Any]] = mapped_column(Json, server_default="{}", doc="purpose → derived key, sealed, in hex")
