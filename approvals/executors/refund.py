"""Carries out refunds through a payment gateway; the order system is asked again right before."""

from dataclasses import dataclass
from datetime import timedelta

from approvals.canonical import CanonicalAction, CanonicalRefund
from approvals.executors.protocol import (
    Call,
    CannotBeAsked,
    Changed,
    Past,
    Unreachable,
    World,
    mismatch_of_live,
    require_kind,
)
from approvals.ports import Found, PaymentGateway, Performed, RefundOrder, Refused
from support_agents.domain.errors import Failed, Ok
from support_agents.domain.orders import OrderFacts
from support_agents.domain.ticket import Requester
from support_agents.ports import OrderLookup


@dataclass(frozen=True)
class RefundExecutor:
    """`call_limit` bounds one booking."""

    gateway: PaymentGateway
    orders: OrderLookup
    call_limit: timedelta = timedelta(seconds=20)

    async def look(self, action: CanonicalAction, requester: Requester) -> World | Changed | Unreachable:
        """The order must still be this requester's, at the version that was approved, with the same payment."""
        refund = require_kind(action, CanonicalRefund)
        mismatch = mismatch_of_live(action, live=self.gateway.live)
        if mismatch is not None:
            return mismatch
        if refund.gateway != self.gateway.name:
            return Changed(f"it was approved for {refund.gateway}; payments now go through {self.gateway.name}")
        if requester.email != refund.requester:
            return Changed("the ticket has another requester now")
        match await self.orders.find(refund.order_id, requester):
            case Ok(order):
                return _compared(order, refund)
            case Failed(message=message):
                return Unreachable(f"the order system did not answer: {message}")
            case _:
                return Changed("the order system no longer gives out this order")

    async def perform(self, action: CanonicalAction, call: Call) -> Performed:
        """Book it under the attempt's key."""
        refund = require_kind(action, CanonicalRefund)
        order = RefundOrder(key=call.key, action=refund.action, payment_ref=refund.payment_ref, amount=refund.amount)
        return await self.gateway.refund(order)

    async def find(self, action: CanonicalAction, past: Past) -> Found | CannotBeAsked:  # noqa: ARG002 - it asks itself
        """Ask the provider for a refund of this action under any attempt's key; one that failed there is for a person.

        Trying again what a bank has refused is a person's decision, and needs a fresh approval.
        """
        refund = require_kind(action, CanonicalRefund)
        if refund.gateway != self.gateway.name:
            return CannotBeAsked(f"it was given to {refund.gateway}, which is no longer connected")
        found = await self.gateway.find(refund.payment_ref, refund.action)
        return CannotBeAsked(found.message) if isinstance(found, Refused) else found


def _compared(order: OrderFacts, refund: CanonicalRefund) -> World | Changed:
    if (order.version, order.payment_ref) != (refund.order_version, refund.payment_ref):
        return Changed("the order has changed since the refund was approved")
    return World(version=order.version, paid=order.total, refunded=order.refunded)
