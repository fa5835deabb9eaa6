"""Duties that fall due by the clock – expiry, sweeping, sealing, reconciling – each at its own interval; none is urgent."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from api.worker.survival import survived


@dataclass(frozen=True)
class Duty:
    """Work that repeats `every` so many seconds, counted from its end; it must be safe to skip and to repeat."""

    name: str
    every: float
    work: Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Schedule:
    """Runs duties one after the other; while the clock is not trusted, none."""

    duties: Sequence[Duty]
    steady: Callable[[], bool]

    async def run(self) -> None:
        """Run until cancelled."""
        loop = asyncio.get_running_loop()
        due = [(loop.time() + duty.every, index) for index, duty in enumerate(self.duties)]
        heapq.heapify(due)
        while due:
            at, index = heapq.heappop(due)
            await asyncio.sleep(max(0.0, at - loop.time()))
            duty = self.duties[index]
            if self.steady():
                await survived(duty.name, duty.work())
            heapq.heappush(due, (loop.time() + duty.every, index))
