"""The order system's answer in one line; it says nothing of an order that is not the requester's."""

from datetime import date

from approvals.wording import ORDERS, Badge, Tone
from support_agents.domain.orders import OrderFacts, OrderStatus
from support_agents.domain.sections import OrderAnswer, PlanSection

_WITHOUT = {
    OrderAnswer.NOT_ASKED: Badge("No order was looked up."),
    OrderAnswer.FOUND: Badge("No order was looked up."),
    OrderAnswer.NOT_THEIRS: Badge("The order system does not confirm that the order is this customer's.", Tone.CARE),
    OrderAnswer.UNKNOWN: Badge("The order system knows no such order.", Tone.CARE),
    OrderAnswer.FAILED: Badge("The order system did not answer.", Tone.BAD),
}


def order_line(plan: PlanSection | None) -> Badge:
    """What is known of the order, in one line."""
    return _line(plan, carrier=True)


def short_order_line(plan: PlanSection | None) -> Badge:
    """The same without the parcel's carrier and number, for cards: the rest is behind More."""
    return _line(plan, carrier=False)


def _line(plan: PlanSection | None, *, carrier: bool) -> Badge:
    if plan is None:
        return Badge("No order was looked up.")
    return Badge(_facts(plan.order, carrier=carrier), Tone.GOOD) if plan.order else _WITHOUT[plan.order_answer]


def _facts(order: OrderFacts, *, carrier: bool) -> str:
    item = f"{order.quantity} × {order.item}" if order.quantity > 1 else order.item
    state = f"{ORDERS[order.status]} {_last_date(order)}".strip()
    parts = [order.order_id, item, state, f"{order.total} paid"]
    if order.refunded.minor:
        parts.append(f"{order.refunded} refunded")
    if carrier and order.carrier and order.status is OrderStatus.SHIPPED:
        parts.append(f"{order.carrier} {order.tracking or ''}".strip())
    return " · ".join(parts)


def _last_date(order: OrderFacts) -> str:
    match order.status:
        case OrderStatus.DELIVERED:
            return _day(order.delivered_on)
        case OrderStatus.SHIPPED:
            return _day(order.shipped_on)
        case _:
            return f"(placed {_day(order.placed_on)})"


def _day(value: date | None) -> str:
    return f"{value.day} {value:%b %Y}" if value else ""
