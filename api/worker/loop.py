"""The worker's life in this process: starts relay and schedule, tells whether they live, stops them in order."""

import asyncio

from api.worker.relay import Relay
from api.worker.schedule import Schedule

GRACE_SECONDS = 5.0


class WorkerLoop:
    """Relay and schedule on the running event loop; `start` and `stop` are called once each."""

    def __init__(self, relay: Relay, schedule: Schedule) -> None:
        self._relay = relay
        self._schedule = schedule
        self._tasks: tuple[asyncio.Task[None], ...] = ()

    @property
    def alive(self) -> bool:
        """Whether both are running."""
        return bool(self._tasks) and not any(task.done() for task in self._tasks)

    def start(self) -> None:
        """Begin; returns at once."""
        self._tasks = (
            asyncio.create_task(self._relay.run(), name="relay"),
            asyncio.create_task(self._schedule.run(), name="schedule"),
        )

    async def stop(self) -> None:
        """Claim nothing more, let deliveries under way end within a grace period."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._relay.drain(GRACE_SECONDS)
