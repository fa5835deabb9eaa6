"""The order system of an installation that has none: it never says anything about an order."""

from support_agents.domain.errors import Failed, Ok
from support_agents.domain.orders import NotTheirs, OrderFacts, UnknownOrder
from support_agents.domain.ticket import Requester


class NoOrders:
    """`OrderLookup` while `SUPPORT_ORDERS_CSV` is not set."""

    async def find(self, order_id: str, requester: Requester) -> Ok[OrderFacts] | NotTheirs | UnknownOrder | Failed:
        """Say that nobody can be asked, which is neither "unknown" nor "not yours"."""
        if not requester.verified:
            return NotTheirs(order_id)
        return Failed("no_order_system", "no order system is connected")

    async def list_theirs(self, requester: Requester) -> Ok[tuple[OrderFacts, ...]] | Failed:
        """Name no order."""
        del requester
        return Ok(())
