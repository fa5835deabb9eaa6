"""What a start does before anything is served: schema, epoch, quarantine, mode; it dispatches nothing."""

import asyncio
from dataclasses import dataclass

from api import logging
from api.settings import Settings
from approvals.ports import Person
from approvals.quarantine import Quarantine
from db.engine import Database
from db.installation import Installation, Standing
from db.upgrade import is_current, upgrade
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, new_id

BEHIND = (
    "the database is behind the signed anchor: it was restored, and effects may have happened that it does not know"
)
UNKNOWN = (
    "the database was in use before, but the signed anchor is missing: effects may have happened that it does not know"
)
UNREADABLE = "the signed anchor cannot be read with this installation's secret key"


async def migrate(settings: Settings) -> None:
    """Upgrade an embedded database; refuse to work with any other that misses migrations."""
    if settings.embedded:
        await asyncio.to_thread(upgrade, settings.database)
    elif not await asyncio.to_thread(is_current, settings.database):
        raise SupportError("migrations_missing", "the database misses migrations: run `support-agents db upgrade`")


@dataclass(frozen=True)
class Standings:
    """Begins a new installation, quarantines a restored one, and ends quarantine when an admin says so."""

    database: Database
    installation: Installation
    quarantine: Quarantine

    async def check(self) -> None:
        """Compare database and anchor; whatever is behind or unknown starts quarantined."""
        try:
            standing = await self.installation.standing(DEFAULT_WORKSPACE)
        except SupportError as error:
            if error.code != "anchor_unreadable":
                raise
            await self._hold(UNREADABLE)
            return
        match standing:
            case Standing.FIRST:
                await self.installation.begin(DEFAULT_WORKSPACE)
            case Standing.BEHIND:
                await self._hold(BEHIND)
            case Standing.UNKNOWN:
                await self._hold(UNKNOWN)
            case Standing.CURRENT:
                pass

    async def adopt(self, person: Person) -> None:
        """Go on with this database under a new epoch; an admin's decision, in their own session."""
        await self.quarantine.adopt(person, epoch=new_id())
        await self.installation.adopt(person.workspace)

    async def _hold(self, reason: str) -> None:
        logging.get().error("quarantined", reason=reason)
        await self.quarantine.enter(DEFAULT_WORKSPACE, reason)


async def release_leases(database: Database, settings: Settings) -> None:
    """Take up at once what a process that was killed had begun; where one process owns all, nobody else has."""
    if settings.embedded:
        async with database.write("release") as uow:
            await uow.outbox.release_all()


async def apply_mode(database: Database, settings: Settings) -> None:
    """Make the workspace's mode what settings say, on record."""
    async with database.write("mode") as uow:
        if (await uow.workspaces.get(DEFAULT_WORKSPACE)).mode is settings.mode:
            return
        await uow.workspaces.set_mode(DEFAULT_WORKSPACE, settings.mode)
        await uow.audit.append(
            workspace=DEFAULT_WORKSPACE,
            event="mode_set",
            subject=DEFAULT_WORKSPACE,
            actor="settings",
            data={"mode": settings.mode},
        )
