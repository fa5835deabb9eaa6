"""Asks one provider after another until one speaks; once a word is out it never changes the speaker."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from support_agents.domain.errors import AskedToWaitError, SupportError
from support_agents.domain.runs import Run
from support_agents.llm.breaker import OURS, Breaker
from support_agents.llm.streams import Item, opened
from support_agents.ports import Completed, LanguageModel, Prompt, TextDelta

# A wait is worth it only if so many seconds are left to write in.
LEAST_SECONDS = 0.7
_SPENT = "llm_spent"


@dataclass(frozen=True)
class Provided:
    """A model, and the breaker of its provider."""

    model: LanguageModel
    breaker: Breaker


@dataclass(frozen=True)
class FallbackModel:
    """`LanguageModel` around several, best first.

    A fault before the first word leads to the next one. When there is none left, a provider that named a wait which
    the deadline allows is asked once more. A fault after the first word is the caller's: two models' halves would
    make no whole.
    """

    rungs: Sequence[Provided]

    @property
    def name(self) -> str:
        """As of the first."""
        return self.rungs[0].model.name

    async def stream(self, prompt: Prompt, run: Run) -> AsyncIterator[TextDelta | Completed]:
        """Yield what the first to speak yields, or raise the last fault (`llm_none`: nobody may be asked)."""
        last = SupportError("llm_none", "no model provider may be asked at the moment", retryable=True)
        waits: list[tuple[float, Provided]] = []
        for rung in self.rungs:
            spoke = False
            try:
                async with aclosing(_tried(rung, prompt, run)) as stream:
                    async for item in stream:
                        spoke = True
                        yield item
            except SupportError as error:
                if spoke or (error.code in OURS and error.code != _SPENT):
                    raise
                last = error
                waits += [(error.seconds, rung)] if isinstance(error, AskedToWaitError) else []
            else:
                return
        if not waits:
            raise last
        seconds, rung = min(waits, key=lambda wait: wait[0])
        if run.deadline.remaining - seconds < LEAST_SECONDS:
            raise last
        await asyncio.sleep(seconds)
        async with aclosing(_tried(rung, prompt, run)) as stream:
            async for item in stream:
                yield item


async def _tried(rung: Provided, prompt: Prompt, run: Run) -> AsyncGenerator[Item]:
    """One provider's stream, its outcome told to the breaker; a breaker that is open is a wait that it names."""
    breaker, spoke = rung.breaker, False
    if not breaker.allows():
        raise AskedToWaitError(
            breaker.fault or "llm_open", "the provider is being left alone", seconds=breaker.opens_in
        )
    try:
        async with opened(rung.model, prompt, run) as stream:
            async for item in stream:
                if spoke:
                    yield item
                    continue
                spoke = True
                breaker.succeeded()
                yield replace(item, by=item.by or rung.model.name) if isinstance(item, TextDelta) else item
    except SupportError as error:
        breaker.failed(error)
        raise
    finally:
        if not spoke:
            breaker.abandoned()
