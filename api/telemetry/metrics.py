"""What a scrape reads: levels as they stand, and the record since the last one; it slows no run and changes nothing."""

import asyncio
from dataclasses import dataclass, field

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from api.pressure import PressureGauge
from api.telemetry.instruments import AGES, Instruments
from db.engine import Database
from db.read_models.happenings import happenings, newest
from db.read_models.levels import levels
from support_agents.domain.ids import DEFAULT_WORKSPACE

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4
BATCH = 500
# So much of the record is read in one scrape at most; a process that was not asked for long catches up in several.
BATCHES = 10


@dataclass
class Metrics:
    """One process's view of the whole installation: every process counts all runs, whichever process made them.

    Counters and histograms of runs begin with the first scrape, and are read along the sealed audit: an entry is
    counted within about a second of its commit, once, and none is passed over.
    """

    database: Database
    pressure: PressureGauge
    instruments: Instruments = field(default_factory=Instruments)
    _at: int | None = field(default=None, init=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def text(self) -> bytes:
        """Read what is new and return everything as text; two scrapes at once take turns."""
        async with self._turn:
            await self._levels()
            await self._follow()
            return self.instruments.text()

    async def _levels(self) -> None:
        async with self.database.read() as uow:
            now = await levels(uow, DEFAULT_WORKSPACE, ages=tuple(AGES.values()))
            workspace = await uow.workspaces.get(DEFAULT_WORKSPACE)
        self.instruments.gauges.set(now, may_dispatch=workspace.may_dispatch, pressure=self.pressure.level)

    async def _follow(self) -> None:
        for _ in range(BATCHES):
            async with self.database.read() as uow:
                if self._at is None:
                    self._at = await newest(uow, DEFAULT_WORKSPACE)
                new = await happenings(uow, DEFAULT_WORKSPACE, after=self._at, limit=BATCH)
            self.instruments.tallies.fold(new)
            self._at = new.last
            if not new.more:
                return
