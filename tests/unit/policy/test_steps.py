from datetime import date, timedelta
from typing import Any

import pytest

from support_agents.domain.action import ActionKind
from support_agents.domain.money import Money
from support_agents.domain.orders import OrderFacts, OrderStatus
from support_agents.policy.clauses import Clause
from support_agents.policy.steps import allowed_steps

TODAY = date(2026, 11, 2)
ALL = frozenset(ActionKind)
ORDER = OrderFacts(
    order_id="A-1", status=OrderStatus.PROCESSING, item="Kettle", placed_on=TODAY - timedelta(days=1),
    total=Money(minor=10, currency="EUR"), refunded=Money(minor=0, currency="EUR"), payment_ref="p",
    account_last4="4242", version="v1",
)  # fmt: skip


def clause(**rule: Any) -> Clause:
    given = {"action": "cancel_order", "statuses": ("processing",)} | rule
    return Clause.model_validate(
        {"id": "cancel", "version": 2, "text": "x", "valid_from": "2025-01-01", "owner": "o",
         "verified_on": "2026-01-01",         "applies_to": ("cancel_order",), "rule": given}
    )  # fmt: skip


def test_a_clause_allows_cancelling_what_has_not_left() -> None:
    (step,) = allowed_steps([clause()], ORDER, TODAY, offered=ALL)
    assert (step.order_id, step.order_version, step.clauses) == ("A-1", "v1", (clause().ref,))


def test_nothing_is_proposed_that_is_not_offered() -> None:
    assert allowed_steps([clause()], ORDER, TODAY, offered=frozenset()) == ()


@pytest.mark.parametrize("status", [status for status in OrderStatus if status is not OrderStatus.PROCESSING])
def test_no_clause_allows_cancelling_what_has_left(status: OrderStatus) -> None:
    order = ORDER.model_copy(update={"status": status})
    assert allowed_steps([clause(statuses=tuple(OrderStatus))], order, TODAY, offered=ALL) == ()


@pytest.mark.parametrize(
    "rule", [{"statuses": ()}, {"statuses": ("shipped",)}, {"action": "change_address"}, {"action": "issue_refund"},
             {"window_days": 3, "counted_from": "delivered_on"}]
)  # fmt: skip
def test_what_the_clause_does_not_say_is_not_allowed(rule: dict[str, Any]) -> None:
    assert allowed_steps([clause(**rule)], ORDER, TODAY, offered=ALL) == ()


@pytest.mark.parametrize(("days", "proposed"), [(1, 1), (2, 1), (3, 0)])
def test_a_window_ends(days: int, proposed: int) -> None:
    order = ORDER.model_copy(update={"placed_on": TODAY - timedelta(days=days)})
    found = allowed_steps([clause(window_days=2, counted_from="placed_on")], order, TODAY, offered=ALL)
    assert len(found) == proposed


def test_a_clause_that_no_longer_holds_allows_nothing() -> None:
    old = clause().model_copy(update={"valid_until": TODAY - timedelta(days=1)})
    assert allowed_steps([old], ORDER, TODAY, offered=ALL) == ()
