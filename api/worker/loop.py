"""A process's background loops: starts them, tells whether they live, stops them in order; it knows none of them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

GRACE_SECONDS = 5.0

Drain = Callable[[float], Awaitable[None]]


class Loop(Protocol):
    """Something that goes on until it is cancelled."""

    async def run(self) -> None:
        """Go on until cancelled."""
        ...


async def nothing_to_drain(_seconds: float) -> None:
    """Return at once."""


class WorkerLoop:
    """Loops by name on the running event loop; `start` and `stop` are called once each."""

    def __init__(self, loops: Mapping[str, Loop], steady: Callable[[], bool], drain: Drain = nothing_to_drain) -> None:
        self._loops = loops
        self._steady = steady
        self._drain = drain
        self._tasks: tuple[asyncio.Task[None], ...] = ()

    @property
    def alive(self) -> bool:
        """Whether all are running."""
        return bool(self._tasks) and not any(task.done() for task in self._tasks)

    @property
    def steady(self) -> bool:
        """Whether the clock can be trusted, so that events are dispatched."""
        return self._steady()

    def start(self) -> None:
        """Begin; returns at once."""
        self._tasks = tuple(asyncio.create_task(loop.run(), name=name) for name, loop in self._loops.items())

    async def ended(self) -> None:
        """Wait until one of them ends by itself, which none should."""
        await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)

    async def stop(self) -> None:
        """Begin nothing more, let what is under way end within a grace period."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._drain(GRACE_SECONDS)
