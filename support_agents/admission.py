"""The lane to the processor: so many runs think at once, earliest deadline first; who cannot be in time is told so."""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from support_agents.domain.deadline import Deadline
from support_agents.domain.errors import SupportError

BUSY = "busy"
PLACES = 3
_USUAL_SECONDS = 0.08  # that a place is held, before any was
_LEARNED = 0.1  # weight of the newest in what is expected of the next
_Waiting = tuple[float, int, "asyncio.Future[None]"]


class Lane:
    """Places for work of tens of milliseconds; shared by all runs of one event loop.

    Three runs keep two cores busy: one computes while the embeddings of the others are made. More would only share the
    same processor, and all of them would be late together.
    """

    def __init__(self, places: int = PLACES) -> None:
        self._places = self._free = places
        self._held = _USUAL_SECONDS
        self._numbers = itertools.count()
        self._waiting: list[_Waiting] = []

    @asynccontextmanager
    async def place(self, deadline: Deadline, *, leaving: float) -> AsyncIterator[None]:
        """Hold a place; `SupportError` (`busy`), at once if possible, where too little time would be left.

        `leaving` is how many seconds before the deadline the place must be free again. While there is a free place
        nobody is refused.
        """
        await self._enter(deadline, leaving)
        began = deadline.now()
        try:
            yield
        finally:
            self._held += _LEARNED * (deadline.now() - began - self._held)
            self._leave()

    async def _enter(self, deadline: Deadline, leaving: float) -> None:
        if self._free and not self._waiting:
            self._free -= 1
            return
        patience = deadline.remaining - leaving - self._held
        if patience < self._expected(deadline):
            raise _busy()
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (deadline.at, next(self._numbers), place))
        try:
            async with asyncio.timeout(patience):
                await place
        except BaseException as error:
            if place.done() and not place.cancelled():
                self._leave()  # it was given in the very moment in which nobody waited for it any more
            if isinstance(error, TimeoutError):
                raise _busy() from None
            raise

    def _expected(self, deadline: Deadline) -> float:
        """Seconds until the place would be given."""
        ahead = sum(at <= deadline.at and not place.done() for at, _, place in self._waiting)
        return (ahead + 1) * self._held / self._places

    def _leave(self) -> None:
        """Give the place to whoever must be done first."""
        while self._waiting:
            _, _, place = heapq.heappop(self._waiting)
            if not place.done():
                place.set_result(None)
                return
        self._free += 1


def _busy() -> SupportError:
    return SupportError(BUSY, "more messages came in than can be answered in time", retryable=True)
