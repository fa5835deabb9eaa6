"""Which steps in the shop's own systems the policy file offers and a clause allows today; it proposes none by itself.

A step is offered where the policy file says so (`steps: [cancel_order]`); without that line there are none.
"""

from collections.abc import Iterable
from datetime import date

from support_agents.domain.action import ActionKind, CancelOrder, DeleteRecord, OrderStep, ReplaceOrder
from support_agents.domain.orders import OrderFacts, OrderStatus
from support_agents.policy.clauses import Clause
from support_agents.policy.refunds import obstacles

STEPS = frozenset({ActionKind.CANCEL_ORDER, ActionKind.REPLACE_ORDER, ActionKind.DELETE_RECORD})
# Whatever a clause says: what has left the house cannot be called back by cancelling, and only what has left can be
# sent once more.
_POSSIBLE = {
    ActionKind.CANCEL_ORDER: frozenset({OrderStatus.PROCESSING}),
    ActionKind.REPLACE_ORDER: frozenset({OrderStatus.SHIPPED, OrderStatus.DELIVERED, OrderStatus.RETURNED}),
}


def allowed_steps(
    clauses: Iterable[Clause], order: OrderFacts | None, today: date, *, offered: frozenset[ActionKind], evidence: bool
) -> tuple[OrderStep, ...]:
    """Return what the clauses in force allow of `offered`, each kind once; all of it comes from the order system.

    `evidence` says whether something is attached. Without an order only what is about none can be allowed.
    """
    allowed: dict[ActionKind, OrderStep] = {}
    for clause in clauses:
        kind = _kind(clause)
        if kind in allowed or kind not in offered or not clause.holds_on(today):
            continue
        step = _step(kind, clause, order)
        if step is not None and _allows(clause, kind, order, today, evidence=evidence):
            allowed[kind] = step
    return tuple(allowed.values())


def _kind(clause: Clause) -> ActionKind | None:
    named = clause.rule.action if clause.rule is not None else ""
    return next((kind for kind in STEPS if kind == named), None)


def _step(kind: ActionKind | None, clause: Clause, order: OrderFacts | None) -> OrderStep | None:
    if kind is ActionKind.DELETE_RECORD:
        return DeleteRecord(clauses=(clause.ref,))
    if order is None:
        return None
    if kind is ActionKind.CANCEL_ORDER:
        return CancelOrder(order_id=order.order_id, order_version=order.version, clauses=(clause.ref,))
    return ReplaceOrder(
        order_id=order.order_id, order_version=order.version, item=order.item, quantity=order.quantity,
        clauses=(clause.ref,),
    )  # fmt: skip


def _allows(clause: Clause, kind: ActionKind | None, order: OrderFacts | None, today: date, *, evidence: bool) -> bool:
    """A clause about an order names the states it holds in; silence allows nothing."""
    rule = clause.rule
    if rule is None or kind is None:
        return False
    if kind is ActionKind.DELETE_RECORD:
        return True
    if order is None or order.status not in _POSSIBLE[kind] or order.status not in rule.statuses:
        return False
    return not obstacles(rule, order, today, evidence=evidence)
