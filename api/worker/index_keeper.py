"""Keeps the passage index in step with SQL, one pass at a time, whoever calls; it never changes SQL."""

import asyncio
from collections.abc import Awaitable, Callable

from api.worker.survival import survived

HEAL_SECONDS = 300.0
PAUSE_SECONDS = 5.0


class IndexKeeper:
    """Changes while a pass is running are answered by one more pass. A pass compares all ids, so none is ever lost."""

    def __init__(self, refresh: Callable[[], Awaitable[object]]) -> None:
        self._refresh = refresh
        self._changed = asyncio.Event()
        self._changed.set()
        self._settled = asyncio.Event()
        self._ready = False

    @property
    def ready(self) -> bool:
        """Whether a pass has ended since the start, so that answers rest on what is known."""
        return self._ready

    @property
    def settled(self) -> bool:
        """Whether the index holds all that was known to have changed."""
        return self._settled.is_set()

    def changed(self) -> None:
        """Ask for a pass; returns at once."""
        self._settled.clear()
        self._changed.set()

    async def wait(self) -> None:
        """Wait until the index holds all that changed."""
        await self._settled.wait()

    async def run(self) -> None:
        """Run until cancelled: at once, on every change, and now and then to heal."""
        while True:
            try:
                async with asyncio.timeout(HEAL_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._changed.clear()
            if await survived("index", self._refresh()):
                self._changed.set()
                await asyncio.sleep(PAUSE_SECONDS)
            elif not self._changed.is_set():
                self._settled.set()
                self._ready = True
