from datetime import date, timedelta
from typing import Any

import pytest

from support_agents.domain.action import ActionKind, CancelOrder, DeleteRecord, OrderStep, ReplaceOrder
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


def allowed(
    clauses: list[Clause], order: OrderFacts | None, offered: frozenset[ActionKind] = ALL
) -> tuple[OrderStep, ...]:
    return allowed_steps(clauses, order, TODAY, offered=offered, evidence=False)


def test_a_clause_allows_cancelling_what_has_not_left() -> None:
    (step,) = allowed([clause()], ORDER)
    assert isinstance(step, CancelOrder)
    assert (step.order_id, step.order_version, step.clauses) == ("A-1", "v1", (clause().ref,))


def test_nothing_is_proposed_that_is_not_offered() -> None:
    assert allowed([clause()], ORDER, frozenset()) == ()
    assert allowed([clause()], ORDER, ALL - {ActionKind.CANCEL_ORDER}) == ()


@pytest.mark.parametrize("status", [status for status in OrderStatus if status is not OrderStatus.PROCESSING])
def test_no_clause_allows_cancelling_what_has_left(status: OrderStatus) -> None:
    order = ORDER.model_copy(update={"status": status})
    assert allowed([clause(statuses=tuple(OrderStatus))], order) == ()


@pytest.mark.parametrize(
    "rule", [{"statuses": ()}, {"statuses": ("shipped",)}, {"action": "change_address"}, {"action": "issue_refund"},
             {"window_days": 3, "counted_from": "delivered_on"}]
)  # fmt: skip
def test_what_the_clause_does_not_say_is_not_allowed(rule: dict[str, Any]) -> None:
    assert allowed([clause(**rule)], ORDER) == ()


@pytest.mark.parametrize(("days", "proposed"), [(1, 1), (2, 1), (3, 0)])
def test_a_window_ends(days: int, proposed: int) -> None:
    order = ORDER.model_copy(update={"placed_on": TODAY - timedelta(days=days)})
    assert len(allowed([clause(window_days=2, counted_from="placed_on")], order)) == proposed


def test_a_clause_that_no_longer_holds_allows_nothing() -> None:
    old = clause().model_copy(update={"valid_until": TODAY - timedelta(days=1)})
    assert allowed([old], ORDER) == ()


REPLACING = {"action": "replace_order", "statuses": ("delivered",)}
DELIVERED = ORDER.model_copy(
    update={"status": OrderStatus.DELIVERED, "quantity": 2, "delivered_on": TODAY - timedelta(days=3)}
)


def test_a_clause_allows_sending_the_item_once_more() -> None:
    (step,) = allowed([clause(**REPLACING)], DELIVERED)
    assert isinstance(step, ReplaceOrder)
    assert (step.order_id, step.order_version, step.item, step.quantity) == ("A-1", "v1", "Kettle", 2)


@pytest.mark.parametrize(
    ("rule", "order"),
    [
        ({"needs_evidence": True}, DELIVERED),
        ({"window_days": 2}, DELIVERED),
        ({"statuses": tuple(OrderStatus)}, ORDER),
        ({}, DELIVERED.model_copy(update={"refunded": DELIVERED.total})),
    ],
    ids=["nothing attached", "window over", "never sent", "refunded already"],
)
def test_what_stands_against_a_replacement(rule: dict[str, Any], order: OrderFacts) -> None:
    assert allowed([clause(**REPLACING | rule)], order) == ()


def test_a_deletion_needs_a_clause_and_no_order() -> None:
    assert allowed([clause(action="delete_record", statuses=())], None) == (DeleteRecord(clauses=(clause().ref,)),)
    assert allowed([clause(), clause(**REPLACING)], None) == ()


def test_each_kind_is_proposed_once() -> None:
    assert len(allowed([clause(), clause()], ORDER)) == 1
