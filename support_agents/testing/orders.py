"""Orders in memory, with the same rule of silence as the real order system; for tests and demonstrations."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from support_agents.domain.errors import Failed, Ok
from support_agents.domain.orders import NotTheirs, OrderFacts, UnknownOrder
from support_agents.domain.ticket import Requester


@dataclass
class FakeOrderLookup:
    """`OrderLookup` over `orders`, keyed by the customer's e-mail address; `failing` makes every answer a failure."""

    orders: Mapping[str, tuple[OrderFacts, ...]] = field(default_factory=dict)
    failing: Failed | None = None

    async def find(self, order_id: str, requester: Requester) -> Ok[OrderFacts] | NotTheirs | UnknownOrder | Failed:
        """Facts only for the authenticated requester under whose address the order stands."""
        if not requester.verified:
            return NotTheirs(order_id)
        if self.failing is not None:
            return self.failing
        for email, theirs in self.orders.items():
            for facts in theirs:
                if facts.order_id.casefold() == order_id.strip().casefold():
                    return Ok(facts) if email.casefold() == requester.email.strip().casefold() else NotTheirs(order_id)
        return UnknownOrder(order_id)

    async def list_theirs(self, requester: Requester) -> Ok[tuple[OrderFacts, ...]] | Failed:
        """All orders under the authenticated requester's address, newest first."""
        if self.failing is not None:
            return self.failing
        theirs = self.orders.get(requester.email.strip().casefold(), ()) if requester.verified else ()
        return Ok(tuple(sorted(theirs, key=lambda facts: facts.placed_on, reverse=True)))
