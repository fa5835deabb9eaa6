"""Work that follows an acknowledgement on this process's loop; nothing that a decision depends on is left to it."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext

from api.worker.survival import survived
from approvals.interactions import Later

GRACE_SECONDS = 5.0
# So many at once: a crowd of clicks is acknowledged before all that is to be shown of them.
AT_ONCE = 8


class Afterwards:
    """Runs what is left to do, each piece whatever became of the one before it; lost at most with the process."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(AT_ONCE)

    def do(self, name: str, later: Sequence[Later]) -> None:
        """Begin when there is room; returns at once."""
        if later:
            self._begin(name, self._run(name, later, self._room))

    def do_now(self, name: str, later: Sequence[Later]) -> None:
        """Begin whether there is room or not: for what others wait for."""
        if later:
            self._begin(name, self._run(name, later, nullcontext()))

    async def drain(self, seconds: float = GRACE_SECONDS) -> None:
        """Let what is under way end within a grace period; cancel what has not."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _begin(self, name: str, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @staticmethod
    async def _run(name: str, later: Sequence[Later], room: AbstractAsyncContextManager[None]) -> None:
        async with room:
            for piece in later:
                await survived(name, _awaited(piece))


async def _awaited(piece: Later) -> None:
    await piece()
