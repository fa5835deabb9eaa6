"""The worker's life in this process: starts its loops, tells whether they live, stops them in order."""

import asyncio

from api.worker.index_keeper import IndexKeeper
from api.worker.relay import Relay
from api.worker.schedule import Schedule

GRACE_SECONDS = 5.0


class WorkerLoop:
    """Relay, schedule and index keeper on the running event loop; `start` and `stop` are called once each."""

    def __init__(self, relay: Relay, schedule: Schedule, keeper: IndexKeeper) -> None:
        self._relay = relay
        self._schedule = schedule
        self._keeper = keeper
        self._tasks: tuple[asyncio.Task[None], ...] = ()

    @property
    def alive(self) -> bool:
        """Whether all are running."""
        return bool(self._tasks) and not any(task.done() for task in self._tasks)

    @property
    def steady(self) -> bool:
        """Whether the clock can be trusted, so that events are dispatched."""
        return self._relay.steady

    def start(self) -> None:
        """Begin; returns at once."""
        self._tasks = (
            asyncio.create_task(self._relay.run(), name="relay"),
            asyncio.create_task(self._schedule.run(), name="schedule"),
            asyncio.create_task(self._keeper.run(), name="index"),
        )

    async def stop(self) -> None:
        """Claim nothing more, let deliveries under way end within a grace period."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._relay.drain(GRACE_SECONDS)
