"""Which order a message without a number is about: the one it names, the only open one, and never a guess."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from support_agents.domain.macro import BoundMacro, Macro, OrderUse
from support_agents.domain.money import Money
from support_agents.domain.orders import OrderFacts, OrderStatus
from support_agents.domain.sections import OrderAnswer
from support_agents.macros import Meant, order_meant, order_wanted
from tests.fixtures.drafting import TODAY, order

BOTH = (OrderStatus.PROCESSING, OrderStatus.SHIPPED)


def macro(use: OrderUse = OrderUse.NEEDED, means: tuple[OrderStatus, ...] = BOTH) -> BoundMacro:
    made = Macro(
        id="m", language="en", intents=(), questions=("a", "b", "c", "d"), order=use, means=means, cases=(), version="1"
    )
    return BoundMacro(macro=made, cases=())


SHIPPED = order(order_id="HW-1", item="Headlamp Vega", status=OrderStatus.SHIPPED, delivered_on=None)
PACKED = order(order_id="HW-2", item="Storm kettle", status=OrderStatus.PROCESSING, shipped_on=None, delivered_on=None)
LONG_AGO = order(order_id="HW-3", item="Wool blanket", delivered_on=TODAY - timedelta(days=67))
SETTLED = order(
    order_id="HW-4", item="Camp chair", status=OrderStatus.RETURNED, refunded=Money(minor=6_490, currency="EUR")
)


@pytest.mark.parametrize(
    ("orders", "text", "answer", "meant"),
    [
        ([SHIPPED], "where is my order?", OrderAnswer.FOUND, SHIPPED),
        ([SHIPPED, LONG_AGO, SETTLED], "where is my order?", OrderAnswer.FOUND, SHIPPED),
        ([SHIPPED, PACKED], "where is my order?", OrderAnswer.SEVERAL, None),
        ([SHIPPED, PACKED], "where is my kettle?", OrderAnswer.FOUND, PACKED),
        ([LONG_AGO], "where is the blanket?", OrderAnswer.FOUND, LONG_AGO),
        ([LONG_AGO], "where is my order?", OrderAnswer.NOT_ASKED, None),
        ([], "where is my order?", OrderAnswer.NOT_ASKED, None),
    ],
)
def test_the_order_that_is_meant(
    orders: Sequence[OrderFacts], text: str, answer: OrderAnswer, meant: OrderFacts | None
) -> None:
    found = order_meant(orders, [macro()], text, TODAY)
    assert (found.answer, found.order) == (answer, meant)


@pytest.mark.parametrize(
    ("text", "intents"),
    [
        ("I changed my mind about my order and would like to send it back, is that ok?", ("return_request",)),
        ("Ich möchte etwas zurückgeben, das ich bei Ihnen gekauft habe.", ("return_request",)),
        ("Quiero devolver mi pedido", ("refund_request",)),
        ("Je voudrais renvoyer ma commande", ("return_request",)),
    ],
)
def test_without_a_macro_near_it_is_asked_which_of_theirs(text: str, intents: tuple[str, ...]) -> None:
    found = order_wanted((SHIPPED, PACKED, LONG_AGO, SETTLED), intents, text, TODAY)
    assert found == Meant(OrderAnswer.SEVERAL, None, (SHIPPED, PACKED))


@pytest.mark.parametrize(
    ("text", "intents"),
    [
        ("How do returns work?", ("return_request",)),
        ("Can I send the kettle of my order back?", ("return_request",)),
        ("Do you sell gift cards? My order was great.", ("gift_card",)),
        ("I'd like to return my order for my neighbour's account", ("product_question",)),
    ],
)
def test_it_is_not_asked_where_it_is_named_or_does_not_matter(text: str, intents: tuple[str, ...]) -> None:
    assert order_wanted((SHIPPED, PACKED), intents, text, TODAY).answer is not OrderAnswer.SEVERAL


def test_where_an_order_only_helps_none_is_asked_for() -> None:
    found = order_meant([SHIPPED, PACKED], [macro(OrderUse.HELPS)], "how long does it take?", TODAY)
    assert found == Meant(OrderAnswer.NOT_ASKED)


def test_a_status_that_is_not_meant_is_not_taken() -> None:
    found = order_meant([SHIPPED], [macro(means=(OrderStatus.DELIVERED,))], "it came broken", TODAY)
    assert found == Meant(OrderAnswer.NOT_ASKED)
