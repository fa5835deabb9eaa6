"""Verified facts as words of a language, by name; it takes them from the order system and from code only."""

from collections.abc import Iterable, Iterator
from datetime import date

from support_agents.domain.action import IssueRefund, ProposedAction
from support_agents.domain.money import Money
from support_agents.domain.orders import OrderFacts
from support_agents.domain.sections import ComputedFact, DraftingGiven
from support_agents.wording.dates import write_date

STATUS = "order.status"


def fact_texts(given: DraftingGiven, language: str) -> dict[str, str]:
    """Return every fact that a draft may state, by name (`order.item`, `fact.return_deadline`, `action.refund`)."""
    return facts_of(given.order, given.facts, given.actions, language=language, today=given.today)


def facts_of(
    order: OrderFacts | None,
    computed: Iterable[ComputedFact],
    actions: Iterable[ProposedAction],
    *,
    language: str,
    today: date,
) -> dict[str, str]:
    """Return the same of a plan, before there is a draft."""
    texts: dict[str, str] = {}
    if order is not None:
        texts |= dict(_order(order, language, today))
    for fact in computed:
        texts[f"fact.{fact.name}"] = _computed(fact, language, today)
    for action in actions:
        if isinstance(action, IssueRefund):
            texts[f"action.{action.ref}"] = write_money(action.amount, language)
    return texts


def write_money(amount: Money, language: str) -> str:
    """Write an amount as people do in `language`: €49.90, 49,90 €."""
    return localised_amount(str(amount), language)


def localised_amount(text: str, language: str) -> str:
    """Turn `€49.90`, as `Money` writes it, into `49,90 €` where that is the custom."""
    if language == "en" or not text or text[0] not in "€£$":
        return text
    return f"{text[1:].replace('.', ',')} {text[0]}"


def _order(order: OrderFacts, language: str, today: date) -> Iterator[tuple[str, str]]:
    yield "order.order_id", order.order_id
    yield STATUS, order.status.value
    yield "order.item", order.item if order.quantity == 1 else f"{order.quantity} × {order.item}"
    yield "order.quantity", str(order.quantity)
    for name, day in (
        ("placed_on", order.placed_on),
        ("shipped_on", order.shipped_on),
        ("delivered_on", order.delivered_on),
    ):
        if day is not None:
            yield f"order.{name}", write_date(day, language, today=today)
    yield "order.carrier", order.carrier or ""
    yield "order.tracking", order.tracking or ""
    yield "order.total", write_money(order.total, language)
    yield "order.account_last4", order.account_last4
    if order.refunded.minor > 0:
        yield "order.refunded", write_money(order.refunded, language)


def _computed(fact: ComputedFact, language: str, today: date) -> str:
    try:
        return write_date(date.fromisoformat(fact.value), language, today=today)
    except ValueError:
        return localised_amount(fact.value, language)
