"""What happened, in order, on record: appended with the change it tells of, never changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, Select, bindparam, select, update

from db.base import table_of
from db.many import ManyRows
from db.models.audit import AuditRow
from db.part_manifests import Manifest, manifests_of
from db.statements import Statements
from support_agents.domain.ids import WorkspaceId, new_id

ROWS = table_of(AuditRow)
COLUMNS = ROWS.c
APPEND = ManyRows(ROWS, ("id", "workspace_id", "event", "subject", "actor", "data"))
SEAL = (
    update(ROWS)
    .where(COLUMNS.id == bindparam("entry"))
    .values(
        salt=bindparam("new_salt"),
        commitment=bindparam("new_commitment"),
        sealed_seq=bindparam("new_seq"),
        seal=bindparam("new_seal"),
    )
)


@dataclass(frozen=True)
class AuditEntry:
    """One entry; the last four are None until it is sealed."""

    id: UUID
    workspace: WorkspaceId
    at: datetime
    event: str
    subject: UUID
    actor: str
    data: Mapping[str, str]
    salt: str | None
    commitment: str | None
    sealed_seq: int | None
    seal: str | None


@dataclass(frozen=True)
class Seal:
    """What the sealer adds to an entry."""

    entry: UUID
    salt: str
    commitment: str
    seq: int
    seal: str


class Audit:
    """Appends and reads; only the sealer adds seals."""

    def __init__(self, session: Statements) -> None:
        self._session = session
        self._appended: list[dict[str, object]] = []

    async def append(
        self, *, workspace: WorkspaceId, event: str, subject: UUID, actor: str, data: Mapping[str, str] | None = None
    ) -> None:
        """Record `event` about `subject` by `actor` (an operator's id or a part of the system). Ids and codes only.

        The rows of one unit of work are inserted together, before it reads any and at the latest before its commit.
        """
        row = {"id": new_id(), "workspace_id": workspace, "event": event, "subject": subject}
        self._appended.append(row | {"actor": actor, "data": dict(data or {})})

    async def flush(self) -> None:
        """Insert what was appended; whoever commits calls it."""
        rows, self._appended = self._appended, []
        if rows:
            await APPEND.insert(self._session, rows)

    async def of(self, subject: UUID, *, limit: int = 200) -> tuple[AuditEntry, ...]:
        """Entries about one subject, oldest first."""
        return await self._entries(
            select(ROWS).where(COLUMNS.subject == subject).order_by(COLUMNS.at, COLUMNS.id).limit(limit)
        )

    async def unsealed(self, workspace: WorkspaceId, *, limit: int) -> tuple[AuditEntry, ...]:
        """The oldest committed entries that have no seal."""
        mine = COLUMNS.workspace_id == workspace
        return await self._entries(
            select(ROWS).where(mine, COLUMNS.sealed_seq.is_(None)).order_by(COLUMNS.id).limit(limit)
        )

    async def sealed(self, workspace: WorkspaceId, *, after: int, limit: int) -> tuple[AuditEntry, ...]:
        """Sealed entries with a sequence number above `after`, in order of the chain."""
        mine = COLUMNS.workspace_id == workspace
        return await self._entries(
            select(ROWS).where(mine, COLUMNS.sealed_seq > after).order_by(COLUMNS.sealed_seq).limit(limit)
        )

    async def head(self, workspace: WorkspaceId) -> tuple[int, str] | None:
        """Sequence number and seal of the last sealed entry that lies here, which whoever may seal may have made up.

        `AuditSealer.head` knows of parts that were taken off, `AuditSealer.followed` whether the seals hold.
        """
        query = (
            select(COLUMNS.sealed_seq, COLUMNS.seal)
            .where(COLUMNS.workspace_id == workspace, COLUMNS.sealed_seq.is_not(None))
            .order_by(COLUMNS.sealed_seq.desc())
            .limit(1)
        )
        row = (await self._session.execute(query)).first()  # what was appended is not sealed yet
        return None if row is None else (row.sealed_seq, row.seal)

    async def manifests(self, workspace: WorkspaceId, *, beyond: int | None = None) -> tuple[Manifest, ...]:
        """What is on record of parts that were taken off, or of those with entries above the number `beyond`."""
        return await manifests_of(self._session, workspace, beyond=beyond)

    async def add_seals(self, seals: Sequence[Seal]) -> None:
        """Seal entries; the database refuses a second seal."""
        rows = [
            {"entry": each.entry, "new_salt": each.salt, "new_commitment": each.commitment}
            | {"new_seq": each.seq, "new_seal": each.seal}
            for each in seals
        ]
        await self._session.execute(SEAL, rows)

    async def _entries(self, query: Select[*tuple[object, ...]]) -> tuple[AuditEntry, ...]:
        await self.flush()
        return tuple(_entry(row) for row in await self._session.execute(query))


def _entry(row: Row[*tuple[object, ...]]) -> AuditEntry:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    return AuditEntry(workspace=values.pop("workspace_id"), **values)
