"""When a shipped order should arrive and from when it is late: computed facts with their inputs, never a promise."""

from collections.abc import Iterator

from support_agents.domain.orders import OrderFacts, OrderStatus
from support_agents.domain.sections import ComputedFact
from support_agents.policy.delivery import Deliveries


def arrival_facts(order: OrderFacts, deliveries: Deliveries | None, places: frozenset[str]) -> Iterator[ComputedFact]:
    """Yield the first and last expected day, and the day from which it may be reported; none before dispatch."""
    if deliveries is None:
        return
    if deliveries.is_bulky(order):
        yield ComputedFact(name="bulky", value="yes", inputs={"order.item": order.item})
    days = deliveries.days(order, places)
    if days is None:
        return
    first, last = days
    yield ComputedFact(name="delivery_days", value=f"{first}–{last}", inputs={"order.total": order.total.currency})
    if order.shipped_on is None or order.status is not OrderStatus.SHIPPED:
        return
    until = deliveries.after(order.shipped_on, last)
    inputs = {"order.shipped_on": order.shipped_on.isoformat(), "working_days": f"{first}-{last}"}
    yield ComputedFact(name="arrival_from", value=deliveries.after(order.shipped_on, first).isoformat(), inputs=inputs)
    yield ComputedFact(name="arrival_until", value=until.isoformat(), inputs=inputs)
    late = deliveries.after(until, deliveries.late_after)
    yield ComputedFact(
        name="late_from",
        value=deliveries.after(late, 1).isoformat(),
        inputs={"arrival_until": until.isoformat(), "late_after": str(deliveries.late_after)},
    )
