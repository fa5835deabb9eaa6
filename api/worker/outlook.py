"""Whether the clock can be trusted, and when the next event falls due, for whoever claims events; it claims none."""

from dataclasses import dataclass, field

from api import logging
from api.worker.survival import survived
from db.engine import Database
from db.fences import DISPATCH
from db.uow import UnitOfWork


@dataclass
class Outlook:
    """One of a claimer; `steady` is whether the clock was where the database has already seen it, at the last look."""

    database: Database
    steady: bool = field(default=True, init=False)

    async def trusts_clock(self, uow: UnitOfWork) -> bool:
        """Look at the clock, and say in the log if it went back."""
        self.steady = not await uow.outbox.clock_went_back()
        if not self.steady:
            logging.get().error("clock_went_back")
        return self.steady

    async def seconds_to_next(self, *, least: float, most: float) -> float:
        """Until the next row falls due, at most the safety net's interval."""
        due: list[float] = []
        await survived("next_due", self._due(due))
        return max(least, min([most, *due]))

    async def _due(self, into: list[float]) -> None:
        async with self.database.read(DISPATCH) as uow:
            at = await uow.outbox.next_due()
            if at is not None and self.steady:
                into.append((at - await uow.now()).total_seconds())
