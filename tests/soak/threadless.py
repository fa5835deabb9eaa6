"""SQLite without a thread per connection: every trip there becomes a turn of the event loop; the SQL stays the same."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import aiosqlite

Done = TypeVar("Done")


async def _in_turn(_connection: aiosqlite.Connection, work: Callable[..., Done], *given: Any, **named: Any) -> Done:
    # Others go on here, as they do while a thread works: what may come between two statements still does.
    await asyncio.sleep(0)
    return work(*given, **named)


def without_threads() -> None:
    """For a process that has a file to itself: nothing in it ever waits for a lock, and most of its time was hand-over.

    On a busy machine every trip waited twice for a processor. What is ours – driver, writer, units of work – is as in
    production; the tests run it with the threads.
    """
    aiosqlite.Connection._execute = _in_turn  # type: ignore[method-assign, assignment] # its one way into the thread
