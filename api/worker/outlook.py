"""Whether the clock can be trusted, and when the next event falls due, for whoever claims events; it claims none."""

from dataclasses import dataclass, field

from api import logging
from db.uow import UnitOfWork


@dataclass
class Outlook:
    """One of a claimer; `steady` is whether the clock was where the database has already seen it, at the last look."""

    steady: bool = field(default=True, init=False)
    _ahead: float | None = field(default=None, init=False)

    async def trusts_clock(self, uow: UnitOfWork) -> bool:
        """Look at the clock, and say in the log if it went back."""
        self.steady = not await uow.outbox.clock_went_back()
        if not self.steady:
            logging.get().error("clock_went_back")
        return self.steady

    async def look_ahead(self, uow: UnitOfWork) -> None:
        """Note when the next row falls due, in the unit of work that has claimed what is due already."""
        self._ahead = await uow.outbox.seconds_to_next() if self.steady else None

    def seconds_to_next(self, *, least: float, most: float) -> float:
        """From the last look ahead until the next row fell due, at most the safety net's interval."""
        return max(least, most if self._ahead is None else min(most, self._ahead))
