"""Puts the configured language models together: adapters, and the wrappers around them; it calls none of them."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from api.choices import ChatApi, Provider
from api.container import Step
from api.model_sources import Source, small_source, sources
from api.settings import Settings
from db.engine import Database
from db.fences import UPKEEP
from db.read_models.model_use import model_use
from support_agents.domain.errors import SupportError
from support_agents.llm.batched import BatchedModel
from support_agents.llm.breaker import Breaker
from support_agents.llm.budgeted import BudgetedModel, TokenLedger
from support_agents.llm.fallback import FallbackModel, Provided
from support_agents.llm.gated import GatedModel, StreamGate
from support_agents.llm.hedged import HedgedModel, HedgeQuota, Patience
from support_agents.llm.prices import Prices, load_prices
from support_agents.llm.recorded import CallLog, RecordedModel
from support_agents.llm.routing import RoutedModel, load_routes
from support_agents.llm.spending import CappedModel, Spend, month_of
from support_agents.llm.timed import Latency, TimedModel
from support_agents.ports import LanguageModel


@dataclass(frozen=True, kw_only=True)
class Writing:
    """The writer of drafts – None for the extractive one – with what is known of its providers while it works."""

    model: LanguageModel | None
    calls: CallLog
    spend: Spend
    small: LanguageModel | None = None
    breakers: tuple[tuple[str, Breaker], ...] = ()
    closing: tuple[Step, ...] = ()

    async def restate(self, database: Database) -> None:
        """Take this month's spend of all workspaces from the record, where other processes' calls are as well."""
        sums: dict[str, int] = {}
        async with database.read(UPKEEP) as uow:
            since = month_of(await uow.now())
            for workspace in await uow.workspaces.all():
                for one in await model_use(uow, workspace, since=since):
                    sums[one.model] = sums.get(one.model, 0) + one.cost_micro_usd
        self.spend.restate(sums)


def writing_of(settings: Settings) -> Writing:
    """Wire the writer by the settings."""
    gate = StreamGate(settings.llm_streams)
    wiring = _Wiring(settings, load_prices(settings.llm_prices), gate)
    found = sources(settings)
    if not found:
        return Writing(model=None, calls=wiring.calls, spend=wiring.spend)
    model, small = wiring.asked(found), None
    ledger = TokenLedger()
    named = small_source(settings)
    if named is not None:
        cheaper = wiring.asked((named, *found[1:]))
        small = GatedModel(BudgetedModel(cheaper, ledger), gate)
        model = RoutedModel(cheaper, model, load_routes(settings.llm_routing))
    return Writing(
        model=GatedModel(BudgetedModel(model, ledger), gate),
        small=small,
        calls=wiring.calls,
        spend=wiring.spend,
        breakers=tuple(wiring.breakers),
        closing=tuple(wiring.closing),
    )


@dataclass(frozen=True)
class _Wiring:
    """What all models of an installation share."""

    settings: Settings
    prices: Prices
    gate: StreamGate
    calls: CallLog = field(default_factory=CallLog)
    spend: Spend = field(default_factory=Spend)
    breakers: list[tuple[str, Breaker]] = field(default_factory=list)
    closing: list[Step] = field(default_factory=list)

    def asked(self, found: tuple[Source, ...]) -> LanguageModel:
        """The first source, hedged by the second or by itself, and the others after it."""
        legs = [self._leg(source) for source in found]
        (first, latency), (second, _) = legs[0], legs[min(1, len(legs) - 1)]
        patience = Patience(latency, share=self.settings.llm_hedge_point)
        hedged = HedgedModel(first, second, patience, HedgeQuota(self.settings.llm_hedge_share))
        return FallbackModel(list(self._rungs([hedged, *(model for model, _ in legs[1:])])))

    def _rungs(self, models: list[LanguageModel]) -> Iterator[Provided]:
        for model in models:
            breaker = Breaker()
            self.breakers.append((model.name, breaker))
            yield Provided(model, breaker)

    def _leg(self, source: Source) -> tuple[LanguageModel, Latency]:
        """One model: every call recorded and timed, and none beyond the month's limit."""
        model, close = opened(source, self.settings.llm_api)
        self.closing.append(close)
        latency = Latency()
        recorded = RecordedModel(model, self.calls, self.prices, self.spend)
        timed = BatchedModel(TimedModel(recorded, latency), self.gate.pause)
        limit = self.settings.llm_monthly_limit_usd
        return (timed if limit is None else CappedModel(timed, self.spend, limit)), latency


def opened(source: Source, api: ChatApi) -> tuple[LanguageModel, Step]:
    """Return the adapter of a source and what closes it."""
    if source.provider is Provider.ANTHROPIC:
        from support_agents.adapters.anthropic import OFFICIAL, AnthropicModel

        anthropic = AnthropicModel(api_key=source.key, model=source.model, base_url=source.base_url or OFFICIAL)
        return anthropic, anthropic.close
    if source.provider is Provider.OPENAI and api is ChatApi.RESPONSES:
        from support_agents.adapters.openai.responses import OpenAiResponsesModel

        responses = OpenAiResponsesModel(api_key=source.key, model=source.model, base_url=source.base_url)
        return responses, responses.close
    from support_agents.adapters.openai.compatible import PRESETS, openai_compatible

    if PRESETS[source.provider].needs_key and not source.key and not source.base_url:
        raise SupportError("settings", f"{source.provider} wants a key: set {source.variable}_API_KEY")
    compatible = openai_compatible(
        source.provider.value, model=source.model, api_key=source.key, base_url=source.base_url
    )
    return compatible, compatible.close
