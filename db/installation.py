"""Whether this database is the one that this installation last worked with; what follows from that is decided above."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from db.anchor import Anchor, Head
from db.audit_sealer import AuditSealer
from db.engine import Database
from db.uow import UnitOfWork
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import WorkspaceId, new_id


class Standing(StrEnum):
    """How a workspace's database stands to the anchor."""

    FIRST = "first"
    CURRENT = "current"
    BEHIND = "behind"
    BROKEN = "broken"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Installation:
    """A database and the anchor beside it, as the one who seals the audit knows them."""

    sealer: AuditSealer

    @property
    def database(self) -> Database:
        """The database."""
        return self.sealer.database

    @property
    def anchor(self) -> Anchor:
        """The anchor."""
        return self.sealer.anchor

    async def standing(self, workspace: WorkspaceId) -> Standing:
        """FIRST: never used. BEHIND: the anchor knows of more, or of another epoch. UNKNOWN: used, but no anchor here.

        BEHIND and UNKNOWN mean that effects may have happened which this database does not know. BROKEN: after what the
        anchor knows of come entries of the audit that no key of this installation sealed.
        """
        head = (await asyncio.to_thread(self.anchor.read)).get(workspace)
        async with self.database.read() as uow:
            epoch = (await uow.workspaces.get(workspace)).epoch
            if epoch is None and (head is None or head.seq == 0):
                return Standing.FIRST
            if head is None:
                return Standing.UNKNOWN
            known = epoch == head.epoch and await self._knows(uow, workspace, head)
        return await self._after(workspace, head) if known else Standing.BEHIND

    async def _after(self, workspace: WorkspaceId, head: Head) -> Standing:
        """How it stands where the anchored entry is there."""
        try:
            await self.sealer.followed(workspace, head)
        except SupportError as error:
            if error.code != "audit_broken":
                raise
            return Standing.BROKEN
        return Standing.CURRENT

    async def begin(self, workspace: WorkspaceId) -> None:
        """Start the first epoch of a new installation; after a crash in between it is still FIRST."""
        epoch = new_id()
        await asyncio.to_thread(self.anchor.write, workspace, await self._head(workspace, epoch))
        async with self.database.write("begin_epoch") as uow:
            await uow.workspaces.set_epoch(workspace, epoch)

    async def adopt(self, workspace: WorkspaceId) -> None:
        """Make this database the one to go on with, under a new epoch; ends its quarantine. A person's decision."""
        epoch = new_id()
        async with self.database.write("adopt") as uow:
            await uow.workspaces.adopt(workspace, epoch)
        await asyncio.to_thread(self.anchor.adopt, workspace, await self._head(workspace, epoch))

    async def _head(self, workspace: WorkspaceId, epoch: UUID) -> Head:
        async with self.database.read() as uow:
            seq, seal = await self.sealer.head(uow, workspace)
        return Head(epoch=epoch, seq=seq, seal=seal)

    async def _knows(self, uow: UnitOfWork, workspace: WorkspaceId, head: Head) -> bool:
        """Whether the chain holds the anchored entry with the anchored seal."""
        if head.seq == 0:
            return True
        entries = await uow.audit.sealed(workspace, after=head.seq - 1, limit=1)
        if entries and entries[0].sealed_seq == head.seq:
            return entries[0].seal == head.seal
        # It may lie in a part that was taken off.
        return (await self.sealer.taken_off(uow, workspace)).ends.get(head.seq) == head.seal
