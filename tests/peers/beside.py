"""Runs an async server on a loop of its own, for tests that run none; it knows no server."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager


@contextmanager
def beside(server: AbstractAsyncContextManager[object]) -> Iterator[None]:
    """Enter `server` on another thread's loop until left."""
    loop, ready, leave = asyncio.new_event_loop(), threading.Event(), asyncio.Event()

    async def stay() -> None:
        async with server:
            ready.set()
            await leave.wait()

    def run() -> None:
        loop.run_until_complete(stay())
        loop.close()

    thread = threading.Thread(target=run, name="peer")
    thread.start()
    assert ready.wait(30), "the peer did not start"
    try:
        yield
    finally:
        loop.call_soon_threadsafe(leave.set)
        thread.join()
