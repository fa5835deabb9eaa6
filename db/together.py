"""Gathers calls that arrive while a round is under way into the next round; what they do is not known here."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from support_agents.domain.errors import SupportError

Item = TypeVar("Item")
Result = TypeVar("Result")

# Enough to spread the cost of the disk, few enough that none waits long.
LARGEST = 32


@dataclass(frozen=True)
class _Waiting(Generic[Item, Result]):
    item: Item
    result: asyncio.Future[Result]


class Together(Generic[Item, Result]):
    """Calls `work` with one or more items at a time, one round after another.

    `work` returns a result per item, in order, or raises, having done nothing. When it says that it may succeed later,
    no item is to blame and all fail; otherwise they are done again one by one, so that a bad item fails alone.
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
            error = await self._try(these)
            if error is not None and len(these) > 1:
                for one in these:
                    await self._try([one])
        self._round = None

    async def _try(self, these: list[_Waiting[Item, Result]]) -> BaseException | None:
        """Do these in one round; return an error that the callers have not been told."""
        results: Sequence[Result] = ()
        error: BaseException | None = None
        try:
            results = await self._work([each.item for each in these])
        except (Exception, asyncio.CancelledError) as raised:
            if (rounds := asyncio.current_task()) is not None and rounds.cancelling():
                raise  # the event loop is ending, and ends the callers as well
            error = raised
        blameless = isinstance(error, SupportError) and error.retryable
        if error is not None and len(these) > 1 and not blameless:
            return error
        for place, each in enumerate(these):
            if each.result.done():  # its caller has gone
                continue
            if error is None:
                each.result.set_result(results[place])
            else:
                each.result.set_exception(error)
        return None
