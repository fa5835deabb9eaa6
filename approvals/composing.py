"""Turns a run's proposed actions into complete canonical actions; what it cannot vouch for it refuses with a reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any

import rfc8785

from approvals.attachments import Shelf
from approvals.canonical import (
    Attached,
    CanonicalCancelOrder,
    CanonicalDeleteRecord,
    CanonicalRefund,
    CanonicalReplaceOrder,
    CanonicalReply,
    Way,
    new_nonce,
)
from approvals.rendering import as_html, is_addr_spec, is_message_id, one_line, plain, subject_of_reply
from approvals.routing import Routes
from support_agents.domain.action import (
    ActionKind,
    CancelOrder,
    DeleteRecord,
    IssueRefund,
    OrderStep,
    ReplaceOrder,
    SendReply,
)
from support_agents.domain.ids import ActionId, new_id
from support_agents.domain.orders import OrderFacts
from support_agents.domain.runs import RunRecord
from support_agents.domain.sections import OrderAnswer
from support_agents.domain.ticket import Author, TicketSnapshot


@dataclass(frozen=True)
class Unfit:
    """Why an action is not put to anybody: for the person who takes the ticket."""

    reason: str


@dataclass(frozen=True)
class Composer:
    """Recipients come from the signed ticket and amounts from the order system, or there is no action."""

    routes: Routes
    shelf: Shelf = field(default_factory=Shelf)

    def reply(
        self, proposed: SendReply, record: RunRecord, ticket: TicketSnapshot, *, after: ActionId | None, now: datetime
    ) -> CanonicalReply | Unfit:
        """Complete a reply to the ticket's own requester."""
        way = self.routes.way_back(ticket)
        if way is None:
            return Unfit(
                "copy the reply by hand: there is no way back to where this message came from"
                " (SUPPORT_SMTP_HOST or SUPPORT_ZENDESK_BASE_URL opens one)"
            )
        if proposed.to != ticket.requester.email or not is_addr_spec(proposed.to):
            return Unfit("the reply was not addressed to the ticket's own requester")
        if not plain(proposed.text):
            return Unfit("the reply was empty")
        attached = self._attached(proposed.attachments, way)
        if isinstance(attached, Unfit):
            return attached
        common = self._common(record, ticket, after=after, way=way)
        return CanonicalReply(
            **common,
            clauses=proposed.clauses,
            sender=self.routes.sender(ticket),
            to=(proposed.to,),
            subject=subject_of_reply(proposed.subject),
            text=plain(proposed.text),
            html=as_html(proposed.text),
            headers=self._headers(common["action"], ticket, now=now) if way is Way.EMAIL else (),
            attachments=attached,
            dkim=self.routes.dkim if way is Way.EMAIL else "",
        )

    def edited(self, before: CanonicalReply, text: str, *, now: datetime) -> CanonicalReply:
        """Make the new action that a person's edit is: everything but the words stays."""
        action = ActionId(new_id())
        renewed = {"Message-ID": self._message_id(action), "Date": format_datetime(now)}
        headers = tuple((name, renewed.get(name, value)) for name, value in before.headers)
        changes: dict[str, Any] = {"action": action, "nonce": new_nonce(), "text": plain(text), "html": as_html(text)}
        return CanonicalReply.model_validate(before.model_dump() | changes | {"headers": headers})

    def refund(self, proposed: IssueRefund, record: RunRecord, ticket: TicketSnapshot) -> CanonicalRefund | Unfit:
        """Complete a refund, if the order system said in this very run that the order is the requester's."""
        order = verified_order(record)
        if not ticket.requester.verified or order is None or not _agrees(proposed, order):
            return Unfit("a refund was proposed that the order system does not bear out")
        return CanonicalRefund(
            **self._common(record, ticket, after=None, way=Way.PAYMENT),
            clauses=proposed.clauses,
            order_id=proposed.order_id,
            order_version=proposed.order_version,
            payment_ref=proposed.payment_ref,
            account_last4=one_line(proposed.account_last4, 4),
            instrument=one_line(order.instrument, 200),
            amount=proposed.amount,
            requester=ticket.requester.email,
            gateway=self.routes.gateway,
        )

    def step(
        self, proposed: OrderStep, record: RunRecord, ticket: TicketSnapshot
    ) -> CanonicalCancelOrder | CanonicalReplaceOrder | CanonicalDeleteRecord | Unfit:
        """Complete a step in the shop's own systems: the very request, its address from settings, no word from text."""
        endpoint = self.routes.endpoints.get(proposed.kind)
        if endpoint is None:
            return Unfit(f"do it by hand: no address is set for {proposed.kind.replace('_', ' ')}")
        order_id = version = ""
        unfit = None if ticket.requester.verified else _UNPROVEN
        if not isinstance(proposed, DeleteRecord):
            order_id, version = proposed.order_id, proposed.order_version
            order = verified_order(record)
            unfit = unfit or (None if order is not None and _is_about(proposed, order) else _UNPROVEN)
        if unfit is not None:
            return unfit
        common = self._common(record, ticket, after=None, way=Way.HTTP)
        known = {"order_id": order_id, "requester": ticket.requester.email, "action": str(common["action"])}
        filled = endpoint.filled(known)
        if filled is None:
            return Unfit("an order number or address that cannot stand in a path: do it by hand")
        body = {**known, "order_version": version, "kind": proposed.kind, "live": common["live"], **_typed(proposed)}
        return _STEPS[proposed.kind](
            **common,
            clauses=proposed.clauses,
            order_id=order_id,
            order_version=version,
            requester=ticket.requester.email,
            url=filled[0],
            status_url=filled[1],
            body=rfc8785.dumps(body).decode(),
        )

    def _attached(self, names: tuple[str, ...], way: Way) -> tuple[Attached, ...] | Unfit:
        """Only files of the knowledge base, and only by e-mail: a helpdesk's way of attaching is not ours to hash."""
        found = [self.shelf.find(name) for name in names]
        if names and way is not Way.EMAIL:
            return Unfit("files are attached to e-mail only: send it by hand")
        missing = [name for name, file in zip(names, found, strict=True) if file is None]
        if missing:
            return Unfit(f"not among the files that may be attached: {', '.join(missing)}")
        return tuple(file for file in found if file is not None)

    def _common(self, record: RunRecord, ticket: TicketSnapshot, *, after: ActionId | None, way: Way) -> dict[str, Any]:
        newest = max((message.created_at for message in ticket.messages), default=ticket.received_at)
        return {
            "workspace": ticket.workspace,
            "ticket": ticket.id,
            "source": ticket.source,
            "external_ticket": ticket.external_id,
            "revision": record.ticket_revision,
            "seen_until": newest,
            "run": record.run_id,
            "action": ActionId(new_id()),
            "after": after,
            "way": way,
            "live": way in self.routes.live and way not in self.routes.dry,
            "dry_run": way in self.routes.dry,
            "nonce": new_nonce(),
        }

    def _headers(self, action: ActionId, ticket: TicketSnapshot, *, now: datetime) -> tuple[tuple[str, str], ...]:
        """Every header besides From, To, Cc, Subject and MIME's own; threading only by well-formed Message-IDs."""
        theirs = [m.external_id for m in ticket.messages if m.author is Author.CUSTOMER]
        threading: tuple[tuple[str, str], ...] = ()
        if theirs and is_message_id(theirs[-1]):
            threading = (("In-Reply-To", theirs[-1]), ("References", theirs[-1]))
        own = (
            ("Message-ID", self._message_id(action)),
            ("Date", format_datetime(now)),
            ("Auto-Submitted", "auto-replied"),
            ("X-Auto-Response-Suppress", "All"),
        )
        return own + threading

    def _message_id(self, action: ActionId) -> str:
        domain = (self.routes.mail_from or "").rpartition("@")[2]
        return f"<{action}@{domain}>"


_UNPROVEN = Unfit("a step was proposed that the order system does not bear out")
_STEPS: Mapping[ActionKind, type[CanonicalCancelOrder | CanonicalReplaceOrder | CanonicalDeleteRecord]] = {
    ActionKind.CANCEL_ORDER: CanonicalCancelOrder,
    ActionKind.REPLACE_ORDER: CanonicalReplaceOrder,
    ActionKind.DELETE_RECORD: CanonicalDeleteRecord,
}


def verified_order(record: RunRecord) -> OrderFacts | None:
    """Return the order that the order system gave out to this ticket's requester, if it did."""
    plan = record.sections.plan
    return plan.order if plan is not None and plan.order_answer is OrderAnswer.FOUND else None


def _is_about(proposed: CancelOrder | ReplaceOrder, order: OrderFacts) -> bool:
    told = (proposed.order_id, proposed.order_version)
    if isinstance(proposed, ReplaceOrder) and (proposed.item, proposed.quantity) != (order.item, order.quantity):
        return False
    return told == (order.order_id, order.version)


def _typed(proposed: OrderStep) -> dict[str, str | int]:
    """What one kind says beyond what all say."""
    match proposed:
        case ReplaceOrder(item=item, quantity=quantity):
            return {"item": item, "quantity": quantity}
        case CancelOrder() | DeleteRecord():
            return {}


def _agrees(proposed: IssueRefund, order: OrderFacts) -> bool:
    same = (proposed.order_id, proposed.order_version, proposed.payment_ref, proposed.account_last4) == (
        order.order_id, order.version, order.payment_ref, order.account_last4,
    )  # fmt: skip
    return same and proposed.amount.currency == order.total.currency and 0 < proposed.amount.minor <= order.total.minor
