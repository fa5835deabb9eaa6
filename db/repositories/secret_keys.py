"""Secret keys as rows: which ones something stored depends on; it holds none that could be used."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict
from sqlalchemy import bindparam, select, update

from db.base import database_now, table_of, upsert
from db.models.secret_keys import SecretKeyRow
from db.statements import Statements
from support_agents.domain.ids import WorkspaceId, new_id

ROWS = table_of(SecretKeyRow)


class KeyRecord(BaseModel):
    """A key that was in use, named by its fingerprint; `kept` are keys made of it, sealed under a later one."""

    model_config = ConfigDict(frozen=True)

    kind: str
    fingerprint: str
    created_at: datetime
    retired_at: datetime | None
    sealed_to: int | None
    kept: Mapping[str, str]


COLUMNS = tuple(ROWS.c[name] for name in KeyRecord.model_fields)
_ALL = select(*COLUMNS).where(ROWS.c.workspace_id == bindparam("workspace")).order_by(ROWS.c.created_at, ROWS.c.id)


class SecretKeys:
    """Fingerprints of keys, oldest first."""

    def __init__(self, session: Statements) -> None:
        self._session = session

    async def all(self, workspace: WorkspaceId) -> tuple[KeyRecord, ...]:
        """Every key that was ever in use."""
        found = await self._session.execute(_ALL, {"workspace": workspace})
        return tuple(KeyRecord.model_validate(dict(row)) for row in found.mappings())

    async def add(self, workspace: WorkspaceId, *, kind: str, fingerprint: str) -> None:
        """Note that a key is in use; another process may have done so."""
        row = {"id": new_id(), "workspace_id": workspace, "kind": kind, "fingerprint": fingerprint}
        await self._session.execute(upsert(ROWS).values(row).on_conflict_do_nothing())

    async def keep(self, workspace: WorkspaceId, record: KeyRecord, kept: Mapping[str, str]) -> None:
        """Store anew what is kept of a key that was retired before."""
        await self._change(workspace, record, kept=dict(kept))

    async def retire(
        self, workspace: WorkspaceId, record: KeyRecord, *, sealed_to: int | None, kept: Mapping[str, str]
    ) -> None:
        """Note that nothing needs the key any more but what is `kept` of it."""
        await self._change(workspace, record, retired_at=database_now(), sealed_to=sealed_to, kept=dict(kept))

    async def _change(self, workspace: WorkspaceId, record: KeyRecord, **values: object) -> None:
        mine = (ROWS.c.workspace_id == workspace, ROWS.c.kind == record.kind)
        statement = update(ROWS).where(*mine, ROWS.c.fingerprint == record.fingerprint).values(**values)
        await self._session.execute(statement)
