"""What a start does before anything is served: schema, epoch, quarantine, mode; it dispatches nothing."""

import asyncio
from dataclasses import dataclass

from api import logging
from api.settings import Settings
from approvals.ports import Person
from approvals.quarantine import Quarantine
from db.engine import Database
from db.fences import DISPATCH
from db.installation import Installation, Standing
from db.upgrade import is_current, newer, upgrade
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, new_id

BEHIND = (
    "the database is behind the signed anchor: it was restored, and effects may have happened that it does not know"
)
UNKNOWN = (
    "the database was in use before, but the signed anchor is missing: effects may have happened that it does not know"
)
BROKEN = (
    "after what the signed anchor knows of, the audit holds entries that this installation did not seal: somebody wrote"
    " them past this software. See `support-agents audit verify`"
)
NOT_SHARED = (
    "the signed anchor is not in this process's folder: set SUPPORT_ANCHOR_PATH to one file that all processes share,"
    " or start the scheduler, which holds the database back until an admin adopts it"
)
UNREADABLE = "the signed anchor cannot be read with this installation's secret key"


async def migrate(settings: Settings) -> None:
    """Upgrade an embedded database; refuse to work with any other that misses migrations."""
    if settings.embedded:
        await asyncio.to_thread(upgrade, settings.database)
        return
    if not await asyncio.to_thread(is_current, settings.database):
        raise SupportError("migrations_missing", "the database misses migrations: run `support-agents db upgrade`")
    if later := await asyncio.to_thread(newer, settings.database):
        logging.get().warning("schema_newer", reason=f"{later} is of a later version: replace this process soon")


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
            case Standing.BROKEN:
                await self._hold(BROKEN)
            case Standing.UNKNOWN:
                await self._hold(UNKNOWN)
            case Standing.CURRENT:
                pass

    async def is_unknown(self) -> bool:
        """Whether this process has no anchor for a database that was in use."""
        try:
            return await self.installation.standing(DEFAULT_WORKSPACE) is Standing.UNKNOWN
        except SupportError:
            return False

    async def adopt(self, person: Person) -> None:
        """Go on with this database under a new epoch; an admin's decision, in their own session."""
        await self.quarantine.adopt(person, epoch=new_id())
        await self.installation.adopt(person.workspace)

    async def _hold(self, reason: str) -> None:
        logging.get().error("quarantined", reason=reason)
        await self.quarantine.enter(DEFAULT_WORKSPACE, reason)


async def check_standing(standings: Standings) -> None:
    """Check the database against the anchor, one process after another: two that are new would begin two epochs."""
    async with standings.database.turn("opening"):
        await standings.check()


async def require_anchor(standings: Standings) -> None:
    """Refuse to go on without the anchor of a database that was in use; for all but a scheduler, where it is shared.

    Such a process was given the wrong folder. Holding back everybody's work for it would be wrong, and acting would be
    worse: what it does could not be made known outside the database.
    """
    if await standings.is_unknown():
        raise SupportError("no_anchor", NOT_SHARED)


async def release_leases(database: Database, settings: Settings) -> None:
    """Take up at once what a process that was killed had begun; where one process owns all, nobody else has."""
    if settings.embedded:
        async with database.write("release", fence=DISPATCH) as uow:
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
