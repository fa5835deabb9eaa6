"""What the language models did and cost, and what a person must mend about them; counts of recorded calls only."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from api.console.views.figures import CountRow, CountTable, Figure
from api.model_sources import Source
from approvals.wording import Tone, words
from db.read_models.model_cost import IntentCost
from db.read_models.model_use import ModelUse
from support_agents.llm.spending import provider_of

_MICRO = 1_000_000
# What waiting does not mend, in the words of what to do.
_MEND = {
    "llm_auth": "does not accept the key: set {of}_API_KEY",
    "llm_quota": "has nothing left on the account",
    "llm_not_found": "knows no such model: check {model}",
    "llm_bad_request": "does not accept the request: check {model}",
}


@dataclass(frozen=True)
class Asked:
    """Which models this installation asks, and whether it still does.

    The limit is of what all workspaces cost a provider together, which no workspace is told: `reached` says only
    whether a provider is not asked any more.
    """

    sources: tuple[Source, ...] = ()
    limit_usd: float | None = None
    reached: Callable[[str], bool] = field(default=lambda _: False)

    @property
    def providers(self) -> frozenset[str]:
        """Names of those that are asked."""
        return frozenset(source.provider.value for source in self.sources)


@dataclass(frozen=True)
class ModelsView:
    """Figures and tables for the page of figures; empty where no model was asked."""

    figures: tuple[Figure, ...] = ()
    tables: tuple[CountTable, ...] = ()


def shown_models(
    window: Sequence[ModelUse],
    month: Sequence[ModelUse],
    installed: Asked,
    costs: Sequence[IntentCost] = (),
) -> ModelsView:
    """Put it together from the calls of the window and of the month; the built-in drafter costs nothing.

    `costs` are those of the window by intent.
    """
    asked = [use for use in window if ":" in use.model]
    faults = tuple(fault for use in asked for fault in _faults(use, installed.sources))
    figures = (*_spent(month, installed), *_per_ticket(costs), *faults)
    if not asked and not figures:
        return ModelsView()
    most = max((use.calls for use in asked), default=1)
    rows = tuple(CountRow(_words(use), use.calls, round(100 * use.calls / most, 2), Tone.PLAIN) for use in asked)
    by_intent = _by_intent(costs)
    tables = (CountTable("Calls to models", rows), CountTable("Tickets with a paid model, by intent", by_intent))
    return ModelsView(figures, tuple(table for table in tables if table.rows))


def _words(use: ModelUse) -> str:
    failed = sum(use.faults.values())
    return f"{use.model}, ${use.cost_micro_usd / _MICRO:.2f}" + (f", {failed} failed" if failed else "")


def _spent(month: Sequence[ModelUse], installed: Asked) -> Iterator[Figure]:
    """What each provider cost the workspace, and which are not asked any more, whoever spent it."""
    providers: dict[str, int] = {}
    for use in month:
        name = provider_of(use.model)
        providers[name] = providers.get(name, 0) + use.cost_micro_usd
    for name in sorted({*providers, *installed.providers}):
        cost, reached = providers.get(name, 0), name in installed.providers and installed.reached(name)
        if cost or reached:
            words = _of_the_limit(installed.limit_usd, reached=reached)
            yield Figure(f"${cost / _MICRO:,.2f}", f"{name} this month{words}", Tone.BAD if reached else Tone.PLAIN)


def _of_the_limit(limit_usd: float | None, *, reached: bool) -> str:
    if limit_usd is None:
        return ""
    limit = f"the limit of ${limit_usd:,.2f} for all workspaces together"
    return f": {limit} is reached, it is not asked any more" if reached else f"; {limit} is not reached"


def _per_ticket(costs: Sequence[IntentCost]) -> Iterator[Figure]:
    tickets = sum(one.tickets for one in costs)
    if tickets:
        total = sum(one.cost_micro_usd for one in costs)
        yield Figure(f"${total / _MICRO / tickets:.4f}", "a ticket that a paid model was asked for")


def _by_intent(costs: Sequence[IntentCost]) -> tuple[CountRow, ...]:
    """What each intent cost, in all and a ticket; the bars are of money, the numbers of tickets."""
    most = max((one.cost_micro_usd for one in costs), default=1)
    return tuple(
        CountRow(
            f"{words(one.intent) or 'not read'}, ${one.cost_micro_usd / _MICRO:.2f},"
            f" ${one.cost_micro_usd / _MICRO / one.tickets:.4f} each",
            one.tickets,
            round(100 * one.cost_micro_usd / most, 2),
            Tone.PLAIN,
        )
        for one in costs
    )


def _faults(use: ModelUse, sources: Sequence[Source]) -> Iterator[Figure]:
    """What a person must mend, with the variable of that very model; nothing of one that is asked no more."""
    source = next((one for one in sources if one.asked_as == use.model), None)
    for code, count in use.faults.items():
        if code in _MEND and source is not None:
            told = _MEND[code].format(of=source.variable, model=source.named_by)
            yield Figure(str(count), f"{use.model} {told}", Tone.BAD)
