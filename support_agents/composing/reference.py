"""Which order a message is about, and whether its money, by what it names; it looks no order up."""

from collections.abc import Iterator, Mapping, Sequence

from support_agents.domain.orders import OrderFacts, OrderStatus
from support_agents.domain.sections import ComputedFact
from support_agents.screening.terms import terms
from support_agents.wording.cues import Cue, find_cue
from support_agents.wording.values import ValueKind, decimals, values_in

_ENDED = frozenset({OrderStatus.RETURNED, OrderStatus.CANCELLED})
_SHORTEST_NAME = 3
_NO_NAME = frozenset(terms("size set regular long colour navy"))
_UNDER_WAY = frozenset({OrderStatus.PROCESSING, OrderStatus.SHIPPED})
# In which states the customer's only order is surely the one meant, though nothing in the message names it.
_PLAINLY_MEANT: Mapping[str, frozenset[OrderStatus]] = {
    "order_status": _UNDER_WAY,
    "delivery_problem": frozenset({OrderStatus.SHIPPED}),
    "cancel_order": _UNDER_WAY,
    "change_order": _UNDER_WAY,
    "change_address": _UNDER_WAY,
    "refund_status": frozenset({OrderStatus.RETURNED, OrderStatus.CANCELLED}),
}
_OR: Mapping[str, str] = {"en": "or", "de": "oder", "es": "o", "fr": "ou"}
_MOST_NAMED = 4
# What a message about the money of an ended order is often taken for; other asks beside it stay what they are.
TAKEN_FOR_MONEY = frozenset({"refund_request", "return_request", "exchange_request", "stock_question", "unknown"})


def names_item(text: str, order: OrderFacts) -> bool:
    """Whether the message names what was ordered, by a word of it."""
    words = {word for word in terms(order.item) if word.isalpha() and len(word) >= _SHORTEST_NAME}
    return bool((words - _NO_NAME) & {*terms(text)})


def is_about_money(text: str, order: OrderFacts) -> bool:
    """Whether the message asks for the money of an order that came back or was cancelled."""
    if order.status not in _ENDED:
        return False
    own = decimals(str(order.total))
    named = any(value.kind is ValueKind.AMOUNT and decimals(value.text) & own for value in values_in(text))
    return named or find_cue(Cue.MONEY, text) is not None


def only_order(
    orders: tuple[OrderFacts, ...], intents: tuple[str, ...] = (), text: str | None = None
) -> OrderFacts | None:
    """The order a customer means who has exactly one and gave no number: it must be plain that it is this one."""
    if len(orders) != 1:
        return None
    (order,) = orders
    if text is None:
        return order
    if find_cue(Cue.OTHERS_DATA, text) is not None:
        return None
    plainly = any(order.status in _PLAINLY_MEANT.get(intent, ()) for intent in intents)
    return order if plainly or names_item(text, order) else None


def orders_named(among: Sequence[OrderFacts], language: str) -> Iterator[ComputedFact]:
    """Yield which of a requester's own orders may be meant, as a question names them; none where they are many."""
    if not 1 < len(among) <= _MOST_NAMED:
        return
    *others, last = (f"{order.item} ({order.order_id})" for order in among)
    joined = f"{', '.join(others)} {_OR.get(language, _OR['en'])} {last}"
    inputs = {f"order.{number}": order.order_id for number, order in enumerate(among, start=1)}
    yield ComputedFact(name="several_orders", value=joined, inputs=inputs)
