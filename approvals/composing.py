"""Turns a run's proposed actions into complete canonical actions; what it cannot vouch for it refuses with a reason."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from approvals.canonical import CanonicalRefund, CanonicalReply, Way, new_nonce
from approvals.rendering import as_html, is_addr_spec, is_message_id, one_line, plain, subject_of_reply
from approvals.routing import Routes
from support_agents.domain.action import IssueRefund, SendReply
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

    def reply(
        self, proposed: SendReply, record: RunRecord, ticket: TicketSnapshot, *, after: ActionId | None, now: datetime
    ) -> CanonicalReply | Unfit:
        """Complete a reply to the ticket's own requester."""
        way = self.routes.way_back(ticket)
        if way is None:
            return Unfit("copy the reply by hand: there is no way back to where this message came from")
        if proposed.to != ticket.requester.email or not is_addr_spec(proposed.to):
            return Unfit("the reply was not addressed to the ticket's own requester")
        if not plain(proposed.text):
            return Unfit("the reply was empty")
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
        )

    def edited(self, before: CanonicalReply, text: str, *, now: datetime) -> CanonicalReply:
        """Make the new action that a person's edit is: everything but the words stays."""
        action = ActionId(new_id())
        renewed = {"Message-ID": self._message_id(action), "Date": format_datetime(now)}
        headers = tuple((name, renewed.get(name, value)) for name, value in before.headers)
        changes = {"action": action, "nonce": new_nonce(), "text": plain(text), "html": as_html(text)}
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
            amount=proposed.amount,
            requester=ticket.requester.email,
        )

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
            "live": way in self.routes.live,
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
            ("X-Auto-Response-Suppress", "OOF, AutoReply"),
        )
        return own + threading

    def _message_id(self, action: ActionId) -> str:
        domain = (self.routes.mail_from or "").rpartition("@")[2]
        return f"<{action}@{domain}>"


def verified_order(record: RunRecord) -> OrderFacts | None:
    """Return the order that the order system gave out to this ticket's requester, if it did."""
    plan = record.sections.plan
    return plan.order if plan is not None and plan.order_answer is OrderAnswer.FOUND else None


def _agrees(proposed: IssueRefund, order: OrderFacts) -> bool:
    same = (proposed.order_id, proposed.order_version, proposed.payment_ref, proposed.account_last4) == (
        order.order_id, order.version, order.payment_ref, order.account_last4,
    )  # fmt: skip
    return same and proposed.amount.currency == order.total.currency and 0 < proposed.amount.minor <= order.total.minor
