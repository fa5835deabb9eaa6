"""What each provider has cost this month, and the limit after which it is not asked; it reads no database."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from support_agents.domain.errors import SupportError
from support_agents.domain.runs import ModelCall, Run
from support_agents.llm.streams import opened
from support_agents.ports import Completed, LanguageModel, Prompt, TextDelta

SPENT = "llm_spent"
_MICRO = 1_000_000


def provider_of(model: str) -> str:
    """The provider of `provider:model`."""
    return model.partition(":")[0]


def month_of(moment: datetime) -> datetime:
    """The first instant of the month, UTC."""
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


@dataclass
class Spend:
    """Millionths of a US dollar by provider in this month (UTC): as recorded when last read, and what came since."""

    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC), repr=False)
    _recorded: dict[str, int] = field(default_factory=dict)
    _since: dict[str, int] = field(default_factory=dict)
    _month: datetime | None = None

    def add(self, call: ModelCall) -> None:
        """Note a call."""
        self._turn()
        provider = provider_of(call.model)
        self._since[provider] = self._since.get(provider, 0) + call.cost_micro_usd

    def restate(self, recorded: Mapping[str, int]) -> None:
        """Take the sums by model or provider that are on record; never below what is known here already."""
        self._turn()
        sums: dict[str, int] = {}
        for name, cost in recorded.items():
            sums[provider_of(name)] = sums.get(provider_of(name), 0) + cost
        known = {name: self.of(name) for name in {*self._recorded, *self._since}}
        self._recorded = {name: max(sums.get(name, 0), known.get(name, 0)) for name in {*sums, *known}}
        self._since = {}

    def of(self, provider: str) -> int:
        """What the provider has cost this month."""
        self._turn()
        return self._recorded.get(provider, 0) + self._since.get(provider, 0)

    def reached(self, provider: str, *, limit_usd: float | None) -> bool:
        """Whether the provider has cost as much as it may; never where there is no limit."""
        return limit_usd is not None and self.of(provider) >= round(limit_usd * _MICRO)

    def _turn(self) -> None:
        """Begin anew with a new month."""
        month = month_of(self.now())
        if month != self._month:
            self._recorded, self._since, self._month = {}, {}, month


@dataclass(frozen=True)
class CappedModel:
    """`LanguageModel` around one provider's that is not asked any more once the month's limit is reached."""

    model: LanguageModel
    spend: Spend
    limit_usd: float

    @property
    def name(self) -> str:
        """As of the model inside."""
        return self.model.name

    async def stream(self, prompt: Prompt, run: Run) -> AsyncIterator[TextDelta | Completed]:
        """Yield what the model yields; `SupportError` (`llm_spent`) instead of a call beyond the limit."""
        provider = provider_of(self.name)
        if self.spend.reached(provider, limit_usd=self.limit_usd):
            raise SupportError(SPENT, f"the monthly limit of {provider} is reached")
        async with opened(self.model, prompt, run) as stream:
            async for item in stream:
                yield item
