"""Which steps in the shop's own systems a clause allows for an order today; none is offered unless a caller says so."""

from collections.abc import Iterable
from datetime import date

from support_agents.domain.action import ActionKind, CancelOrder
from support_agents.domain.orders import OrderFacts, OrderStatus
from support_agents.policy.clauses import Clause, Rule

# Whatever a clause says: what has left the house cannot be called back by cancelling.
_CAN_BE_CANCELLED = frozenset({OrderStatus.PROCESSING})


def allowed_steps(
    clauses: Iterable[Clause], order: OrderFacts, today: date, *, offered: frozenset[ActionKind]
) -> tuple[CancelOrder, ...]:
    """Return what the clauses in force allow of `offered`; order and version come from the order system alone."""
    if ActionKind.CANCEL_ORDER not in offered or order.status not in _CAN_BE_CANCELLED:
        return ()
    for clause in clauses:
        rule = clause.rule
        if rule is not None and clause.holds_on(today) and _allows_cancelling(rule, order, today):
            return (CancelOrder(order_id=order.order_id, order_version=order.version, clauses=(clause.ref,)),)
    return ()


def _allows_cancelling(rule: Rule, order: OrderFacts, today: date) -> bool:
    if rule.action != ActionKind.CANCEL_ORDER or order.status not in rule.statuses:
        return False
    deadline = rule.deadline(order)
    return rule.window_days is None or (deadline is not None and today <= deadline)
