"""Notices that files of a folder have changed, by asking now and then; it reads none of them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from support_agents.knowledge.loaders import article_files

EVERY_SECONDS = 2.0

Seen = dict[Path, tuple[int, int]]


async def changes(folder: Path, *, every: float = EVERY_SECONDS) -> AsyncIterator[None]:
    """Yield at once, and then each time files have been added, changed or removed and have settled."""
    before = await asyncio.to_thread(_seen, folder)
    yield
    while True:
        await asyncio.sleep(every)
        now = await asyncio.to_thread(_seen, folder)
        if now == before:
            continue
        # A file that is still being written changes again: wait for two looks that agree.
        while True:
            await asyncio.sleep(every)
            settled = await asyncio.to_thread(_seen, folder)
            if settled == now:
                break
            now = settled
        before = now
        yield


def _seen(folder: Path) -> Seen:
    found: Seen = {}
    for path in article_files(folder):
        try:
            status = path.stat()
        except OSError:
            continue
        found[path] = (status.st_mtime_ns, status.st_size)
    return found
