"""Starts a second call when the first is unusually silent and goes on with whoever speaks first; never with both."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field, replace

from support_agents.domain.runs import Run
from support_agents.llm.streams import Item, generator
from support_agents.llm.timed import Latency
from support_agents.ports import Completed, LanguageModel, Prompt, TextDelta

_AT_LEAST = 0.05
_ONE = 1 - 1e-9  # tenths do not add up to exactly one


class HedgeQuota:
    """Allows second calls up to a share of all calls, so that a slow provider does not double the bill."""

    def __init__(self, share: float) -> None:
        self._share, self._saved = share, 10 * share

    def earn(self) -> None:
        """Note a first call; what a hundred of them earn can be saved up."""
        self._saved = min(100 * self._share, self._saved + self._share)

    def take(self) -> bool:
        """Take leave for a second call, if there is any left."""
        if self._saved < _ONE:
            return False
        self._saved -= 1
        return True


@dataclass(frozen=True)
class Patience:
    """How long the first call may stay silent: until so large a share of earlier calls had spoken."""

    latency: Latency
    share: float = 0.9
    until_known: float = 0.9

    @property
    def seconds(self) -> float:
        """Seconds of silence after which a second call is worth its money."""
        known = self.latency.first_token(self.share)
        return max(_AT_LEAST, self.until_known if known is None else known)


def _looked_at(first: "asyncio.Task[Item]") -> None:
    """A leg that nobody waits for any more may fail; that is not lost, it is on record."""
    if not first.cancelled():
        first.exception()


@dataclass(eq=False)
class _Leg:
    """One of the two calls: its stream, and the task that waits for its first item."""

    name: str
    stream: AsyncGenerator[Item]
    first: "asyncio.Task[Item]" = field(init=False)

    def __post_init__(self) -> None:
        self.first = asyncio.ensure_future(anext(self.stream))
        self.first.add_done_callback(_looked_at)

    async def close(self) -> None:
        """End the call, whatever it is doing."""
        if not self.first.done():
            self.first.cancel()
            await asyncio.wait({self.first})
        await self.stream.aclose()


@dataclass(frozen=True)
class HedgedModel:
    """`LanguageModel` around two, which may be the same: the second is asked when the first keeps silent too long."""

    first: LanguageModel
    second: LanguageModel
    patience: Patience
    quota: HedgeQuota

    @property
    def name(self) -> str:
        """As of the first."""
        return self.first.name

    async def stream(self, prompt: Prompt, run: Run) -> AsyncIterator[TextDelta | Completed]:
        """Yield what the winner yields; the first delta names it. Fails only when every call that began has failed."""
        self.quota.earn()
        legs = [_Leg(self.first.name, generator(self.first, prompt, run))]
        try:
            await asyncio.wait({legs[0].first}, timeout=self.patience.seconds)
            if not legs[0].first.done() and not run.deadline.passed and self.quota.take():
                legs.append(_Leg(self.second.name, generator(self.second, prompt, run)))
            winner = await _winner(legs)
            for loser in [leg for leg in legs if leg is not winner]:
                legs.remove(loser)
                await loser.close()
            item = winner.first.result()
            yield replace(item, by=item.by or winner.name) if isinstance(item, TextDelta) else item
            async for item in winner.stream:
                yield item
        finally:
            for leg in legs:
                await leg.close()


async def _winner(legs: list[_Leg]) -> _Leg:
    """The first leg to say something; the error of the last to fail if none does."""
    waiting = {leg.first: leg for leg in legs}
    while True:
        done = {task for task in waiting if task.done()}  # most often, and a wait is a turn of the event loop
        for task in done or (await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED))[0]:
            leg = waiting.pop(task)
            if task.exception() is None:
                return leg
            if not waiting:
                raise task.exception() or RuntimeError
