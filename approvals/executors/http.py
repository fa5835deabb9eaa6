"""Carries out steps in the shop's own systems by the one signed request that was approved."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from approvals.canonical import CanonicalAction, CanonicalStep
from approvals.endpoints import Endpoint
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
from approvals.ports import Found, Performed, Refused, StepGateway, StepOrder
from support_agents.domain.action import ActionKind
from support_agents.domain.errors import Failed, Ok
from support_agents.domain.ticket import Requester
from support_agents.ports import OrderLookup


@dataclass(frozen=True)
class HttpExecutor:
    """`endpoints` are those of the settings as they are now: an approved address of another host is not asked."""

    gateway: StepGateway
    orders: OrderLookup
    endpoints: Mapping[ActionKind, Endpoint]
    call_limit: timedelta = timedelta(seconds=20)

    async def look(self, action: CanonicalAction, requester: Requester) -> World | Changed | Unreachable:
        """The requester and the order must be as approved, and the address still one of the settings'."""
        step = require_kind(action, CanonicalStep)
        changed = mismatch_of_live(action, live=self.gateway.live)
        if requester.email != step.requester or not requester.verified:
            changed = changed or Changed("the ticket has another requester now")
        if not self._is_ours(step):
            changed = changed or Changed("the address that it was approved for is no longer in the settings")
        if changed is not None or not step.order_id:
            return changed or World(version="")
        match await self.orders.find(step.order_id, requester):
            case Ok(order):
                same = order.version == step.order_version
                return World(order.version) if same else Changed("the order has changed since it was approved")
            case Failed(message=message):
                return Unreachable(f"the order system did not answer: {message}")
            case _:
                return Changed("the order system no longer gives out this order")

    async def perform(self, action: CanonicalAction, call: Call) -> Performed:
        """Send the approved body under the attempt's key."""
        step = require_kind(action, CanonicalStep)
        return await self.gateway.ask(StepOrder(key=call.key, url=step.url, body=step.body))

    async def find(self, action: CanonicalAction, past: Past) -> Found | CannotBeAsked:  # noqa: ARG002 - it asks itself
        """Ask the receiver for the action under any attempt's key."""
        step = require_kind(action, CanonicalStep)
        if not self._is_ours(step):
            return CannotBeAsked("the address that it was approved for is no longer in the settings")
        found = await self.gateway.find(step.status_url)
        return CannotBeAsked(found.message) if isinstance(found, Refused) else found

    def _is_ours(self, step: CanonicalStep) -> bool:
        known = {(_origin(each.url), _origin(each.status_url)) for each in self.endpoints.values()}
        return (_origin(step.url), _origin(step.status_url)) in known


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
