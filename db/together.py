"""Gathers calls that arrive while one is under way, so that the next round does them together; what they do is not known here."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# Enough to spread the cost of the disk, few enough that none waits long.
LARGEST = 64


@dataclass(frozen=True)
class _Waiting(Generic[Item, Result]):
    item: Item
    result: asyncio.Future[Result]


class Together(Generic[Item, Result]):
    """Calls `work` with one or more items at a time, one round after another.

    `work` returns a result per item, in order, or raises, having done nothing. A round that fails is done again item
    by item, so that a bad item fails alone.
    """

    def __init__(self, work: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]]) -> None:
        self._work = work
        self._waiting: list[_Waiting[Item, Result]] = []
        self._round: asyncio.Task[None] | None = None

    async def do(self, item: Item) -> Result:
        """Have the item done, alone or with others, and return its result or raise its error."""
        mine: _Waiting[Item, Result] = _Waiting(item, asyncio.get_running_loop().create_future())
        self._waiting.append(mine)
        if self._round is None:
            self._round = asyncio.create_task(self._rounds(), name="rounds")
        return await mine.result

    async def _rounds(self) -> None:
        while self._waiting:
            these, self._waiting = self._waiting[:LARGEST], self._waiting[LARGEST:]
            if not await self._try(these) and len(these) > 1:
                for one in these:
                    await self._try([one])
        self._round = None

    async def _try(self, these: list[_Waiting[Item, Result]]) -> bool:
        """Do these in one round; an error reaches the caller only when there is one."""
        task = asyncio.ensure_future(self._work([each.item for each in these]))
        await asyncio.wait({task})
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        for place, each in enumerate(these):
            if each.result.done():  # its caller has gone
                continue
            if error is None:
                each.result.set_result(task.result()[place])
            elif len(these) == 1:
                each.result.set_exception(error)
        return error is None
