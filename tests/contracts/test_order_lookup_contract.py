"""What every order system must keep to: it speaks of an order to its own, authenticated customer only."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from support_agents.adapters.orders_csv import COLUMNS, CsvOrderLookup
from support_agents.domain.errors import Ok
from support_agents.domain.money import Money
from support_agents.domain.orders import NotTheirs, OrderFacts, OrderStatus, UnknownOrder
from support_agents.domain.ticket import Requester
from support_agents.ports import OrderLookup
from support_agents.testing.clock import FixedClock
from support_agents.testing.orders import FakeOrderLookup

ANNA = Requester(email="Anna@Example.com", name="Anna", verified=True)
UNVERIFIED = ANNA.model_copy(update={"verified": False})
BERT = Requester(email="bert@example.com", verified=True)


def facts(order_id: str, placed_on: date) -> OrderFacts:
    return OrderFacts(
        order_id=order_id,
        status=OrderStatus.PROCESSING,
        item="Lamp",
        placed_on=placed_on,
        total=Money(minor=500, currency="EUR"),
        refunded=Money(minor=0, currency="EUR"),
        payment_ref="P1",
        account_last4="1234",
        version="v",
    )


def fake(_: Path) -> OrderLookup:
    return FakeOrderLookup({"anna@example.com": (facts("HW-1", date(2026, 11, 1)), facts("HW-2", date(2026, 11, 9)))})


def csv_file(folder: Path) -> OrderLookup:
    path = folder / "orders.csv"
    lines = [
        ",".join(COLUMNS),
        "HW-1,anna@example.com,Anna,processing,Lamp,1,2026-11-01,,,,,500,0,EUR,P1,1234",
        "HW-2,anna@example.com,Anna,processing,Lamp,1,2026-11-09,,,,,500,0,EUR,P1,1234",
    ]
    path.write_text("\n".join(lines))
    return CsvOrderLookup(path, FixedClock())


@pytest.fixture(params=[fake, csv_file], ids=["fake", "csv"])
def orders(request: pytest.FixtureRequest, tmp_path: Path) -> OrderLookup:
    make: Callable[[Path], OrderLookup] = request.param
    return make(tmp_path)


async def test_the_authenticated_customer_gets_facts_in_any_spelling(orders: OrderLookup) -> None:
    answer = await orders.find("hw-1", ANNA)
    assert isinstance(answer, Ok)
    assert answer.value.order_id == "HW-1"


async def test_nobody_else_learns_that_an_order_exists(orders: OrderLookup) -> None:
    assert await orders.find("HW-1", BERT) == NotTheirs("HW-1")
    assert await orders.find("HW-1", UNVERIFIED) == NotTheirs("HW-1")
    assert await orders.find("HW-404", UNVERIFIED) == NotTheirs("HW-404")


async def test_an_unknown_order_is_told_to_the_authenticated_only(orders: OrderLookup) -> None:
    assert await orders.find("HW-404", ANNA) == UnknownOrder("HW-404")


async def test_a_list_is_ones_own_newest_first(orders: OrderLookup) -> None:
    listed = await orders.list_theirs(ANNA)
    assert isinstance(listed, Ok)
    assert [order.order_id for order in listed.value] == ["HW-2", "HW-1"]
    for stranger in (BERT, UNVERIFIED):
        assert await orders.list_theirs(stranger) == Ok(())
