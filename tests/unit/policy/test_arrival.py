"""Delivery times: working days counted from dispatch, and the facts made of them."""

from datetime import date

import pytest

from api.demo import shop
from support_agents.domain.money import Money
from support_agents.domain.orders import OrderStatus
from support_agents.policy.arrival import arrival_facts
from support_agents.policy.delivery import Deliveries
from support_agents.policy.loading import load_policy
from tests.fixtures.drafting import order

DELIVERIES = load_policy(shop.POLICY).deliveries or Deliveries(holidays_of="NL", late_after=3)
FRIDAY = date(2026, 11, 20)


def test_weekends_and_public_holidays_are_no_working_days() -> None:
    assert DELIVERIES.after(FRIDAY, 1) == date(2026, 11, 23)
    assert DELIVERIES.after(date(2026, 12, 24), 1) == date(2026, 12, 28)  # 25 December, a Friday, and the weekend


@pytest.mark.parametrize(
    ("currency", "item", "places", "until"),
    [
        ("EUR", "Glow lantern", (), date(2026, 11, 30)),
        ("EUR", "Glow lantern", ("de",), date(2026, 11, 25)),
        ("GBP", "Glow lantern", (), date(2026, 12, 1)),
        ("EUR", "Acacia garden bench", (), date(2026, 12, 2)),
    ],
)
def test_the_last_expected_day_goes_by_shop_country_and_size(
    currency: str, item: str, places: tuple[str, ...], until: date
) -> None:
    sent = order(
        status=OrderStatus.SHIPPED,
        shipped_on=FRIDAY,
        delivered_on=None,
        item=item,
        total=Money(minor=6_490, currency=currency),
        refunded=Money(minor=0, currency=currency),
    )
    facts = {fact.name: fact for fact in arrival_facts(sent, DELIVERIES, frozenset(places))}
    assert facts["arrival_until"].value == until.isoformat()
    assert facts["arrival_until"].inputs["order.shipped_on"] == FRIDAY.isoformat()
    assert facts["late_from"].value == DELIVERIES.after(until, 4).isoformat()


def test_an_order_that_is_not_on_its_way_has_no_arrival() -> None:
    names = {fact.name for fact in arrival_facts(order(), DELIVERIES, frozenset())}
    assert "arrival_until" not in names
