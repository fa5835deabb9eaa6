"""Learns how long a provider takes to its first token and to its end, from the calls that are made anyway."""

import math
from bisect import bisect_left, insort
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from time import monotonic

from support_agents.domain.errors import SupportError
from support_agents.domain.runs import Run
from support_agents.llm.streams import opened
from support_agents.ports import Completed, LanguageModel, Prompt, TextDelta

_REMEMBERED = 512
_ENOUGH = 20


class _Recent:
    """The last numbers, kept in order as well: each call to a model asks what most of them do not exceed."""

    def __init__(self) -> None:
        self._came: deque[float] = deque()
        self._ordered: list[float] = []

    def add(self, seconds: float) -> None:
        if len(self._came) == _REMEMBERED:
            del self._ordered[bisect_left(self._ordered, self._came.popleft())]
        self._came.append(seconds)
        insort(self._ordered, seconds)

    def quantile(self, share: float) -> float | None:
        known = len(self._ordered)
        return None if known < _ENOUGH else self._ordered[min(known, max(1, math.ceil(share * known))) - 1]


class Latency:
    """Seconds of the last calls to one provider."""

    def __init__(self) -> None:
        self._first = _Recent()
        self._total = _Recent()

    def first_token(self, share: float) -> float | None:
        """Seconds within which so large a share of calls said their first word; None before enough is known."""
        return self._first.quantile(share)

    def total(self, share: float) -> float | None:
        """Seconds within which so large a share of whole answers had ended; None before enough is known."""
        return self._total.quantile(share)

    def saw_first(self, seconds: float) -> None:
        """Note a first token – or a wait that was given up, which would have been longer still."""
        self._first.add(seconds)

    def saw_end(self, seconds: float) -> None:
        """Note a whole answer."""
        self._total.add(seconds)


@dataclass(frozen=True)
class TimedModel:
    """`LanguageModel` around another that tells `latency` what it saw."""

    model: LanguageModel
    latency: Latency
    now: Callable[[], float] = field(default=monotonic, repr=False)

    @property
    def name(self) -> str:
        """As of the model inside."""
        return self.model.name

    async def stream(self, prompt: Prompt, run: Run) -> AsyncIterator[TextDelta | Completed]:
        """Yield what the model yields; a call that was refused teaches nothing about time."""
        began, spoke, refused = self.now(), False, False
        try:
            async with opened(self.model, prompt, run) as stream:
                async for item in stream:
                    if isinstance(item, Completed):
                        self.latency.saw_end(self.now() - began)
                    elif not spoke:
                        spoke = True
                        self.latency.saw_first(self.now() - began)
                    yield item
        except SupportError as error:
            refused = error.code != "llm_timeout"
            raise
        finally:
            if not spoke and not refused:
                self.latency.saw_first(self.now() - began)
