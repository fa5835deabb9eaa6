"""Whether a clause allows a refund of an order today, and why not; it proposes nothing."""

from datetime import date

from support_agents.domain.money import Money
from support_agents.domain.orders import OrderFacts, OrderStatus
from support_agents.policy.clauses import Rule


def refundable(order: OrderFacts) -> Money:
    """Return what was paid less what was refunded; both come from the order system."""
    return order.total - order.refunded


def obstacles(rule: Rule, order: OrderFacts, today: date, *, evidence: bool) -> tuple[str, ...]:
    """Return every reason in a person's words why `rule` does not allow a refund; empty when it does."""
    amount, deadline = refundable(order), rule.deadline(order)
    found = []
    if rule.statuses and order.status not in rule.statuses:
        found.append(f"the order is {order.status}")
    if rule.window_days is not None and deadline is None:
        found.append(f"the order has no {rule.counted_from.replace('_', ' ')} date")
    if deadline is not None and today > deadline:
        found.append(f"the {rule.window_days}-day window ended on {deadline.isoformat()}")
    if rule.needs_evidence and not evidence:
        found.append("nothing is attached that shows it")
    if rule.needs_return and order.status is OrderStatus.DELIVERED:
        found.append("the item has not come back yet")
    if amount.minor <= 0:
        found.append("everything paid has been refunded already")
    elif not rule.allows_amount(amount):
        found.append(f"{amount} is above the limit")
    return tuple(found)
