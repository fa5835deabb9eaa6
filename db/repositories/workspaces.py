"""Workspaces: how far replies may go, whether dispatch is stopped, and quarantine after a restore."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select, update

from db.base import database_now, table_of
from db.models.workspaces import WorkspaceRow
from db.statements import Statements
from support_agents.domain.approval import Mode
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import WorkspaceId

ROWS = table_of(WorkspaceRow)


@dataclass(frozen=True)
class Workspace:
    """One organisation. Nothing is dispatched while it is paused or quarantined."""

    id: WorkspaceId
    name: str
    mode: Mode
    epoch: UUID | None
    paused_at: datetime | None
    quarantined_at: datetime | None
    quarantine_reason: str | None

    @property
    def may_dispatch(self) -> bool:
        """Whether effects may leave."""
        return self.paused_at is None and self.quarantined_at is None


COLUMNS = tuple(ROWS.c[name] for name in Workspace.__dataclass_fields__)
_BY_ID = select(*COLUMNS).where(ROWS.c.id == bindparam("wanted"))


class Workspaces:
    """Reads and switches workspaces."""

    def __init__(self, session: Statements) -> None:
        self._session = session

    async def get(self, workspace: WorkspaceId) -> Workspace:
        """Read one; `not_found` when there is none."""
        row = (await self._session.execute(_BY_ID, {"wanted": workspace})).first()
        if row is None:
            raise SupportError("not_found", f"no workspace {workspace}")
        return Workspace(**dict(row._mapping) | {"mode": Mode(row.mode)})  # noqa: SLF001 - SQLAlchemy's public name

    async def all(self) -> tuple[WorkspaceId, ...]:
        """Ids of all workspaces."""
        return tuple((await self._session.execute(select(ROWS.c.id).order_by(ROWS.c.id))).scalars())

    async def lock(self, workspace: WorkspaceId) -> None:
        """Keep other sealers and switches of this workspace waiting until the end of the transaction."""
        await self._session.execute(select(ROWS.c.id).where(ROWS.c.id == workspace).with_for_update(key_share=True))

    async def set_mode(self, workspace: WorkspaceId, mode: Mode) -> None:
        """Decide how far an approved reply goes."""
        await self._session.execute(update(ROWS).where(ROWS.c.id == workspace).values(mode=mode))

    async def pause(self, workspace: WorkspaceId) -> None:
        """Stop all dispatch at once: the kill switch."""
        await self._session.execute(update(ROWS).where(ROWS.c.id == workspace).values(paused_at=database_now()))

    async def unpause(self, workspace: WorkspaceId) -> None:
        """Let dispatch go on."""
        await self._session.execute(update(ROWS).where(ROWS.c.id == workspace).values(paused_at=None))

    async def quarantine(self, workspace: WorkspaceId, reason: str) -> None:
        """Stop dispatch because this database may not know all that was done."""
        values = {"quarantined_at": database_now(), "quarantine_reason": reason}
        await self._session.execute(update(ROWS).where(ROWS.c.id == workspace).values(values))

    async def adopt(self, workspace: WorkspaceId, epoch: UUID) -> None:
        """End quarantine under a new epoch."""
        values = {"quarantined_at": None, "quarantine_reason": None, "epoch": epoch}
        await self._session.execute(update(ROWS).where(ROWS.c.id == workspace).values(values))

    async def set_epoch(self, workspace: WorkspaceId, epoch: UUID) -> None:
        """Name the installation's epoch."""
        await self._session.execute(update(ROWS).where(ROWS.c.id == workspace).values(epoch=epoch))
