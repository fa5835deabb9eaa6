"""Where a proposed action would leave and how far the workspace's mode lets it go; it sends nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from approvals.canonical import Way
from approvals.endpoints import Endpoint
from approvals.rendering import is_addr_spec
from support_agents.domain.action import ActionKind
from support_agents.domain.approval import Mode
from support_agents.domain.ticket import Channel, TicketSnapshot


class Disposition(StrEnum):
    """What becomes of a proposed reply."""

    REQUEST = "request"
    NOTE = "note"
    RECORD_ONLY = "record_only"
    BY_HAND = "by_hand"


@dataclass(frozen=True)
class Routes:
    """The ways out that this installation has; `helpdesks` maps a source to the address replies there come from.

    `live` names the ways that reach real customers and real money; everything else is marked as a test. `dry` names
    those where everything is done but the effect. `gateway` is the payment provider, `dkim` what letters are signed
    under, `endpoints` where the shop's own systems are asked.
    """

    helpdesks: Mapping[str, str]
    mail_from: str | None
    live: frozenset[Way] = frozenset()
    dry: frozenset[Way] = frozenset()
    gateway: str = "ledger"
    endpoints: Mapping[ActionKind, Endpoint] = field(default_factory=dict)
    dkim: str = ""

    def way_back(self, ticket: TicketSnapshot) -> Way | None:
        """Return how a reply reaches the requester: where it came from, or not at all."""
        if ticket.source in self.helpdesks:
            return Way.HELPDESK
        by_mail = ticket.source == "standard" and ticket.channel is Channel.EMAIL and self.mail_from is not None
        return Way.EMAIL if by_mail and is_addr_spec(ticket.requester.email) else None

    def sender(self, ticket: TicketSnapshot) -> str:
        """Return the address that the requester sees as the sender's."""
        return self.helpdesks.get(ticket.source) or self.mail_from or ""


def dispose_reply(mode: Mode, way: Way | None) -> Disposition:
    """Decide what becomes of a proposed reply; only `reply` mode asks for an effect."""
    match mode:
        case Mode.OBSERVE:
            return Disposition.RECORD_ONLY
        case Mode.NOTE:
            return Disposition.NOTE if way is Way.HELPDESK else Disposition.RECORD_ONLY
        case Mode.REPLY:
            return Disposition.REQUEST if way is not None else Disposition.BY_HAND


def asks_for_refunds(mode: Mode) -> bool:
    """Whether refunds and steps in the shop's systems are put to people: no half measures, so in `reply` mode only."""
    return mode is Mode.REPLY
