"""What a process looks out for: the clock, articles that others change, whose turn it is; it changes nothing."""

import asyncio
from dataclasses import dataclass, field

from api import logging
from api.worker.index_keeper import IndexKeeper
from api.worker.loop import Loop
from api.worker.outlook import Outlook
from api.worker.survival import survived
from db.engine import Database
from db.fences import DISPATCH

_CLOCK_SECONDS = 5.0
_HEAL_SECONDS = 60.0
_HOLD_SECONDS = 2.0
_PAUSE_SECONDS = 1.0


@dataclass
class ClockWatch:
    """Whether the clock is where the database has already seen it, for processes without a relay of their own."""

    database: Database
    _outlook: Outlook = field(default_factory=Outlook, init=False)

    @property
    def steady(self) -> bool:
        """Whether the clock could be trusted at the last look."""
        return self._outlook.steady

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await survived("clock", self._look())
            await asyncio.sleep(_CLOCK_SECONDS)

    async def _look(self) -> None:
        async with self.database.read(DISPATCH) as uow:
            await self._outlook.trusts_clock(uow)


@dataclass(frozen=True)
class KnowledgeWatch:
    """Has this process's index follow articles that any process changed."""

    database: Database
    keeper: IndexKeeper

    async def run(self) -> None:
        """Wait until cancelled; a hint that was lost is made up for within a minute."""
        while True:
            await self.database.knowledge.wait(_HEAL_SECONDS)
            self.keeper.changed()


@dataclass(frozen=True)
class Leading:
    """Runs `loop` while this process has the turn; of all that wait for the same turn one has it."""

    database: Database
    turn: str
    loop: Loop

    async def run(self) -> None:
        """Wait for the turn, use it, and wait again when it was lost, until cancelled."""
        while True:
            await survived("turn", self._lead())
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _lead(self) -> None:
        async with self.database.turn(self.turn) as still_mine:
            logging.get().info("turn_taken", name=self.turn)
            work = asyncio.create_task(self.loop.run(), name=self.turn)
            try:
                while not work.done():
                    await still_mine()
                    await asyncio.wait({work}, timeout=_HOLD_SECONDS)
            finally:
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)
