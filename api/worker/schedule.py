"""Duties that fall due by the clock, such as expiry and sealing, each at its own interval; none is urgent."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from api.worker.survival import survived

UNSTEADY_SECONDS = 1.0


@dataclass(frozen=True)
class Duty:
    """Work that repeats `every` so many seconds, counted from its end; it must be safe to skip and to repeat."""

    name: str
    every: float
    work: Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Schedule:
    """Runs each duty at once and then at its own interval, beside the others; while the clock is not trusted, none."""

    duties: Sequence[Duty]
    steady: Callable[[], bool]

    async def run(self) -> None:
        """Run until cancelled."""
        async with asyncio.TaskGroup() as group:
            for duty in self.duties:
                group.create_task(self._repeat(duty), name=duty.name)

    async def _repeat(self, duty: Duty) -> None:
        while True:
            if self.steady():
                await survived(duty.name, duty.work())
            await asyncio.sleep(duty.every if self.steady() else min(duty.every, UNSTEADY_SECONDS))
