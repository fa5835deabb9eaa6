"""Keeps a record of every call to a model, also of one that fails or is cut; it changes nothing that is said."""

from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from time import monotonic
from typing import cast

from support_agents.domain.errors import SupportError
from support_agents.domain.ids import RunId
from support_agents.domain.runs import ModelCall, Run
from support_agents.ports import Completed, LanguageModel, Prompt, TextDelta

_MOST_RUNS = 1_000
_ABANDONED = "abandoned"


class CallLog:
    """Calls of the runs that are under way; what nobody takes is forgotten, oldest first."""

    def __init__(self) -> None:
        self._calls: OrderedDict[RunId, tuple[ModelCall, ...]] = OrderedDict()

    def add(self, run: RunId, call: ModelCall) -> None:
        """Note a call of a run."""
        self._calls[run] = (*self._calls.get(run, ()), call)
        if len(self._calls) > _MOST_RUNS:
            self._calls.popitem(last=False)

    def take(self, run: RunId) -> tuple[ModelCall, ...]:
        """Return a run's calls in the order in which they ended, and forget them."""
        return self._calls.pop(run, ())


@dataclass
class _Heard:
    """What is known of one call so far."""

    began: float = field(default_factory=monotonic)
    first: float | None = None
    end: Completed | None = None
    stop: str = _ABANDONED

    def record(self, prompt: Prompt, model: str) -> ModelCall:
        end = self.end
        return ModelCall(
            agent=prompt.agent,
            model=model,
            prompt_version=prompt.version,
            tokens_in=end.tokens_in if end else 0,
            tokens_out=end.tokens_out if end else 0,
            tokens_cached=end.tokens_cached if end else 0,
            first_token_ms=None if self.first is None else (self.first - self.began) * 1_000,
            total_ms=(monotonic() - self.began) * 1_000,
            stop=end.stop.value if end else self.stop,
        )


@dataclass(frozen=True)
class RecordedModel:
    """`LanguageModel` around another; `stop` of a record is the stop reason, an error's code, or `abandoned`."""

    model: LanguageModel
    log: CallLog

    @property
    def name(self) -> str:
        """As of the model inside."""
        return self.model.name

    async def stream(self, prompt: Prompt, run: Run) -> AsyncIterator[TextDelta | Completed]:
        """Yield what the model yields; the record is written however the stream ends."""
        heard = _Heard()
        try:
            stream = cast("AsyncGenerator[TextDelta | Completed]", self.model.stream(prompt, run))
            async with aclosing(stream):
                async for item in stream:
                    if isinstance(item, Completed):
                        heard.end = item
                    elif heard.first is None:
                        heard.first = monotonic()
                    yield item
        except SupportError as error:
            heard.stop = error.code
            raise
        finally:
            self.log.add(run.id, heard.record(prompt, self.name))
