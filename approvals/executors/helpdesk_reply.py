"""Carries out replies as public comments in the helpdesk that the message came from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from approvals.canonical import CanonicalAction, CanonicalReply
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
from approvals.ports import Comment, Found, HelpdeskGateway, HelpdeskTicket, Missing, Performed, Refused, Unknown
from support_agents.domain.ticket import Requester


@dataclass(frozen=True)
class HelpdeskReplyExecutor:
    """`gateways` maps a ticket's source to its helpdesk."""

    gateways: Mapping[str, HelpdeskGateway]
    call_limit: timedelta = timedelta(seconds=20)

    async def look(self, action: CanonicalAction, requester: Requester) -> World | Changed | Unreachable:
        """The ticket must be open, still the recipient's, read by nobody else, and hold no unread public comment."""
        reply = require_kind(action, CanonicalReply)
        gateway = self.gateways.get(reply.source)
        if gateway is None:
            return Changed("this helpdesk is no longer connected")
        mismatch = mismatch_of_live(action, live=gateway.live)
        if mismatch is not None:
            return mismatch
        match await gateway.look(reply.external_ticket):
            case HelpdeskTicket() as ticket:
                return _compared(ticket, reply, requester)
            case Missing():
                return Changed("the helpdesk no longer has this ticket")
            case Unknown(reason=reason):
                return Unreachable(reason)

    async def perform(self, action: CanonicalAction, call: Call) -> Performed:
        """Write the comment on condition that the ticket is as it was looked at."""
        reply = require_kind(action, CanonicalReply)
        gateway = self.gateways.get(reply.source)
        if gateway is None:
            return Refused("not_connected", "this helpdesk is no longer connected")
        comment = Comment(
            external_ticket=reply.external_ticket,
            text=reply.text,
            html=reply.html,
            public=True,
            marker=call.key,
            stamp=call.world,
        )
        return await gateway.comment(comment)

    async def find(self, action: CanonicalAction, past: Past) -> Found | CannotBeAsked:  # noqa: ARG002 - asks itself
        """Look for a comment with a marker of any attempt at this action."""
        reply = require_kind(action, CanonicalReply)
        gateway = self.gateways.get(reply.source)
        if gateway is None:
            return CannotBeAsked("this helpdesk is no longer connected")
        return await gateway.find(reply.external_ticket, f"{reply.action}.")


def _compared(ticket: HelpdeskTicket, reply: CanonicalReply, requester: Requester) -> World | Changed:
    same = {ticket.requester_email.casefold(), requester.email.casefold()} == {reply.to[0].casefold()}
    if not same:
        return Changed("the ticket has another requester now")
    if {each.casefold() for each in ticket.copied} != {each.casefold() for each in reply.cc}:
        return Changed("others than those that were approved are copied in on the ticket in the helpdesk")
    if not ticket.open:
        return Changed("the ticket was closed in the helpdesk")
    newest = ticket.last_foreign_comment_at
    if newest is not None and _second(newest) > _second(reply.seen_until):
        return Changed("somebody has written on the ticket since this was drafted")
    return World(version=ticket.stamp)


def _second(instant: datetime) -> datetime:
    """Helpdesks tell time in whole seconds."""
    return instant.replace(microsecond=0)
