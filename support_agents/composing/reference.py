"""Whether a message is about an order and its money, by what it names; it looks no order up."""

from support_agents.domain.orders import OrderFacts, OrderStatus
from support_agents.screening.terms import terms
from support_agents.wording.cues import Cue, find_cue
from support_agents.wording.values import ValueKind, decimals, values_in

_ENDED = frozenset({OrderStatus.RETURNED, OrderStatus.CANCELLED})
_SHORTEST_NAME = 3
_NO_NAME = frozenset(terms("size set regular long colour navy"))
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
