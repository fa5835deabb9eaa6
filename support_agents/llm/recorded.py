"""Keeps a record of every call to a model, also of one that fails or is cut; it changes nothing that is said."""

from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from time import monotonic

from support_agents.domain.errors import SupportError
from support_agents.domain.ids import RunId
from support_agents.domain.runs import ModelCall, Run
from support_agents.llm.prices import FREE, Prices, Tokens
from support_agents.llm.spending import Spend
from support_agents.llm.streams import Item, opened
from support_agents.ports import Completed, LanguageModel, Prompt, StopReason, TextDelta

_MOST_RUNS = 1_000
_ABANDONED = "abandoned"
_CHARACTERS_A_TOKEN = 4  # for calls whose use of tokens nobody told


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
    said: int = 0
    stop: str = _ABANDONED

    def take(self, item: Item) -> None:
        """Note an item."""
        if isinstance(item, Completed):
            self.end = item
            return
        self.said += len(item.text)
        self.first = monotonic() if self.first is None else self.first

    def record(self, prompt: Prompt, model: str, prices: Prices) -> ModelCall:
        end = self.end or self._estimated(prompt)
        used = Tokens(end.tokens_in, end.tokens_out, end.tokens_cached, end.tokens_to_cache)
        return ModelCall(
            agent=prompt.agent,
            model=model,
            prompt_version=prompt.version,
            tokens_in=used.read,
            tokens_out=used.written,
            tokens_cached=used.cached,
            tokens_to_cache=used.to_cache,
            first_token_ms=None if self.first is None else (self.first - self.began) * 1_000,
            total_ms=(monotonic() - self.began) * 1_000,
            cost_micro_usd=prices.cost(model, used),
            stop=self.end.stop.value if self.end else self.stop,
            estimated=self.end is None and bool(used.read),
            route=prompt.route,
        )

    def _estimated(self, prompt: Prompt) -> Completed:
        """Tokens of a call that did not reach its end: it is paid for all the same, once the provider took it up."""
        if self.first is None and self.stop != _ABANDONED:
            return Completed(StopReason.CUT)
        read = -(-(len(prompt.system) + len(prompt.user)) // _CHARACTERS_A_TOKEN)
        return Completed(StopReason.CUT, tokens_in=read, tokens_out=-(-self.said // _CHARACTERS_A_TOKEN))


@dataclass(frozen=True)
class RecordedModel:
    """`LanguageModel` around another; `stop` of a record is the stop reason, an error's code, or `abandoned`."""

    model: LanguageModel
    log: CallLog
    prices: Prices = FREE
    spend: Spend = field(default_factory=Spend)

    @property
    def name(self) -> str:
        """As of the model inside."""
        return self.model.name

    async def stream(self, prompt: Prompt, run: Run) -> AsyncIterator[TextDelta | Completed]:
        """Yield what the model yields; the record is written however the stream ends."""
        heard = _Heard()
        try:
            async with opened(self.model, prompt, run) as stream:
                async for item in stream:
                    heard.take(item)
                    yield item
        except SupportError as error:
            heard.stop = error.code
            raise
        finally:
            call = heard.record(prompt, self.name, self.prices)
            self.spend.add(call)
            self.log.add(run.id, call)
