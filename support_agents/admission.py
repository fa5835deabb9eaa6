"""The lane to the processor: so many runs think at once, earliest deadline first; who cannot be in time is told so."""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from support_agents.domain.deadline import Deadline
from support_agents.domain.errors import SupportError

BUSY = "busy"
PLACES = 3
_USUAL_SECONDS = 0.08  # that a place is held, before any was
_USUAL_STEP = 0.008  # that pass from one run's beginning to the next one's, while several begin
_LONGEST_STEP = 0.5  # more is a database that stood still: no measure for the next
_LEARNED = 0.1  # weight of the newest in what is expected of the next
_Waiting = tuple[float, int, "asyncio.Future[None]"]


class Lane:
    """Places for work of tens of milliseconds; shared by all runs of one event loop.

    Three runs keep two cores busy: one computes while the embeddings of the others are made. More would only share the
    same processor, and all of them would be late together.

    What is still being begun has a claim on the same processor: to be begun and, if there is no time for more, to be
    handed off in time. A run for which that would leave no time is refused even while a place is free, since its draft
    would make all of those late.
    """

    def __init__(self, places: int = PLACES, *, step: float = _USUAL_STEP) -> None:
        self._places = self._free = places
        self._held = _USUAL_SECONDS
        self._step = step
        self._beginning = 0
        self._stepped: float | None = None
        self._numbers = itertools.count()
        self._waiting: list[_Waiting] = []

    @contextmanager
    def beginning(self, now: Callable[[], float]) -> Iterator[None]:
        """Count a run as one to come while it is looked up and begun; left right before it asks for its place."""
        self._beginning += 1
        try:
            yield
        finally:
            self._beginning -= 1
            self._step_taken(now())

    def _step_taken(self, at: float) -> None:
        """Learn from the time since the run before, unless there was nothing to do in between."""
        if self._stepped is not None:
            self._step += _LEARNED * (min(at - self._stepped, _LONGEST_STEP) - self._step)
        self._stepped = at if self._beginning else None

    @asynccontextmanager
    async def place(self, deadline: Deadline, *, leaving: float) -> AsyncIterator[None]:
        """Hold a place; `SupportError` (`busy`), at once if possible, where too little time would be left.

        `leaving` is how many seconds before the deadline the place must be free again. While there is a free place and
        no other run is being begun nobody is refused.
        """
        await self._enter(deadline, leaving)
        began = deadline.now()
        try:
            yield
        finally:
            self._held += _LEARNED * (deadline.now() - began - self._held)
            self._leave()

    async def _enter(self, deadline: Deadline, leaving: float) -> None:
        patience = deadline.remaining - leaving - self._held
        if self._beginning and patience < self._owed:
            raise _busy()
        if self._free and not self._waiting:
            self._free -= 1
            return
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
        return (ahead + 1) * self._held / self._places + self._owed

    @property
    def _owed(self) -> float:
        """Seconds until all that is being begun has been."""
        return self._beginning * self._step

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
