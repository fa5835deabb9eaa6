"""How much more waits than can be done in time, looked at once a second; what follows from that is done elsewhere."""

from dataclasses import dataclass, field
from enum import IntEnum

from api import logging
from api.settings import Settings
from db.engine import Database
from db.fences import DISPATCH
from db.read_models.pressure import Waiting, waiting_for_runs

LOOK_SECONDS = 1.0


class Pressure(IntEnum):
    """Rising: all is well; drafts are made the cheaper way; who can come again later is asked to."""

    CALM = 0
    HURRIED = 1
    FULL = 2


@dataclass(frozen=True)
class Bound:
    """From so many waiting messages, or from so long a wait of the oldest, in seconds."""

    events: int
    seconds: float

    def reached(self, waiting: Waiting) -> bool:
        """Whether either is the case."""
        return waiting.events >= self.events or waiting.seconds >= self.seconds


@dataclass
class PressureGauge:
    """One of a process; every process looks at the same table, so all come to the same opinion within a second."""

    database: Database
    hurried: Bound
    full: Bound
    level: Pressure = field(default=Pressure.CALM, init=False)

    async def look(self) -> None:
        """Look at what waits. While the database cannot be asked, the last opinion stands."""
        async with self.database.read(DISPATCH) as uow:
            waiting = await waiting_for_runs(uow, most=max(self.hurried.events, self.full.events))
        level = self._level(waiting)
        if level is not self.level:
            logging.get().warning("pressure", status=level.name.lower(), count=waiting.events)
        self.level = level

    def _level(self, waiting: Waiting) -> Pressure:
        if self.full.reached(waiting):
            return Pressure.FULL
        return Pressure.HURRIED if self.hurried.reached(waiting) else Pressure.CALM


def gauge_of(settings: Settings, database: Database) -> PressureGauge:
    """Return the gauge of the settings; nothing is looked at yet."""
    return PressureGauge(
        database,
        hurried=Bound(settings.hurry_events, settings.hurry_seconds),
        full=Bound(settings.refuse_events, settings.refuse_seconds),
    )
