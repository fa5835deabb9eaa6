"""What the language models did and cost, and what a person must mend about them; counts of recorded calls only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from api.console.views.figures import CountRow, CountTable, Figure
from approvals.wording import Tone, words
from db.read_models.model_cost import IntentCost
from db.read_models.model_use import ModelUse
from support_agents.llm.spending import provider_of

_MICRO = 1_000_000
# What waiting does not mend, in the words of what to do.
_MEND = {
    "llm_auth": "does not accept the key: set SUPPORT_LLM_API_KEY",
    "llm_quota": "has nothing left on the account",
    "llm_not_found": "knows no such model: check SUPPORT_LLM_MODEL",
    "llm_bad_request": "does not accept the request: check SUPPORT_LLM_MODEL",
}


@dataclass(frozen=True)
class ModelsView:
    """Figures and tables for the page of figures; empty where no model was asked."""

    figures: tuple[Figure, ...] = ()
    tables: tuple[CountTable, ...] = ()


def shown_models(
    window: Sequence[ModelUse],
    month: Sequence[ModelUse],
    limit_usd: float | None,
    costs: Sequence[IntentCost] = (),
) -> ModelsView:
    """Put it together from the calls of the window and of the month; the built-in drafter costs nothing.

    `costs` are those of the window by intent.
    """
    asked = [use for use in window if ":" in use.model]
    if not asked and not any(use.cost_micro_usd for use in month):
        return ModelsView()
    figures = (*_spent(month, limit_usd), *_per_ticket(costs), *(fault for use in asked for fault in _faults(use)))
    most = max((use.calls for use in asked), default=1)
    rows = tuple(CountRow(_words(use), use.calls, round(100 * use.calls / most, 2), Tone.PLAIN) for use in asked)
    by_intent = _by_intent(costs)
    tables = (CountTable("Calls to models", rows), CountTable("Tickets with a paid model, by intent", by_intent))
    return ModelsView(figures, tuple(table for table in tables if table.rows))


def _words(use: ModelUse) -> str:
    failed = sum(use.faults.values())
    return f"{use.model}, ${use.cost_micro_usd / _MICRO:.2f}" + (f", {failed} failed" if failed else "")


def _spent(month: Sequence[ModelUse], limit_usd: float | None) -> Iterator[Figure]:
    providers: dict[str, int] = {}
    for use in month:
        name = provider_of(use.model)
        providers[name] = providers.get(name, 0) + use.cost_micro_usd
    for name, cost in sorted(providers.items()):
        if not cost:
            continue
        reached = limit_usd is not None and cost >= limit_usd * _MICRO
        words = f"{name} this month" if limit_usd is None else f"{name} this month, of ${limit_usd:,.2f}"
        told = f"{words}: the limit is reached, it is not asked any more" if reached else words
        yield Figure(f"${cost / _MICRO:,.2f}", told, Tone.BAD if reached else Tone.PLAIN)


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


def _faults(use: ModelUse) -> Iterator[Figure]:
    for code, count in use.faults.items():
        if code in _MEND:
            yield Figure(str(count), f"{use.model} {_MEND[code]}", Tone.BAD)
