"""People whose data is held, found by keyed hashes; it never stores what was hashed."""

import hashlib
import hmac
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.base import table_of, upsert
from db.models.subjects import SubjectIdentifierRow, SubjectRow
from support_agents.domain.ids import WorkspaceId, new_id

IDENTIFIERS = table_of(SubjectIdentifierRow)
COLUMNS = IDENTIFIERS.c
ADD_SUBJECT = insert(table_of(SubjectRow))
ADD_IDENTIFIER = (
    upsert(IDENTIFIERS)
    .on_conflict_do_nothing(index_elements=["workspace_id", "kind", "hash"])
    .returning(COLUMNS.subject_id)
)


@dataclass(frozen=True)
class IdentifierHash:
    """Hashes identifiers under a key that is kept outside the database."""

    key: bytes = field(repr=False)

    def email(self, address: str) -> str:
        """Hash of the address in lower case without surrounding space, in hex."""
        normal = "email:" + address.strip().lower()
        return hmac.new(self.key, normal.encode("utf-8", "replace"), hashlib.sha256).hexdigest()

    def body(self, raw: bytes) -> str:
        """Hash of a payload that has no key of its own, in hex."""
        return hmac.new(self.key, b"body:" + raw, hashlib.sha256).hexdigest()


class Subjects:
    """Finds or makes the subject that an identifier belongs to."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def by_email(self, workspace: WorkspaceId, digest: str) -> UUID:
        """The subject with this e-mail hash, made if there is none."""
        found = await self.find(workspace, digest)
        if found is not None:
            return found
        subject = new_id()
        await self._session.execute(ADD_SUBJECT, {"id": subject, "workspace_id": workspace})
        row = {"id": new_id(), "workspace_id": workspace, "subject_id": subject, "kind": "email", "hash": digest}
        added = (await self._session.execute(ADD_IDENTIFIER, row)).scalar_one_or_none()
        if added is None:  # another transaction was first
            found = await self.find(workspace, digest)
        return found or subject

    async def find(self, workspace: WorkspaceId, digest: str) -> UUID | None:
        """The subject with this e-mail hash."""
        same = (COLUMNS.workspace_id == workspace, COLUMNS.kind == "email", COLUMNS.hash == digest)
        found: UUID | None = (await self._session.execute(select(COLUMNS.subject_id).where(*same))).scalar_one_or_none()
        return found
