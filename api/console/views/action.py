"""An approval request's exact bytes as a page shows them: a letter or a refund; nothing is derived from a draft."""

from dataclasses import dataclass

from api.console.wording import WAYS
from approvals.canonical import CanonicalRefund, CanonicalReply

_SHORT = 12


@dataclass(frozen=True)
class LetterView:
    """What would be sent, header by header; `text` keeps its white space."""

    to: str
    sender: str
    cc: str
    subject: str
    text: str
    way: str
    live: bool
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class RefundView:
    """What would be paid back, and to which account."""

    amount: str
    order_id: str
    account_last4: str
    payment_ref: str
    requester: str
    live: bool
    clauses: tuple[str, ...]


def shown_action(action: CanonicalReply | CanonicalRefund) -> LetterView | RefundView:
    """Show a decoded action whole."""
    match action:
        case CanonicalReply():
            return LetterView(
                to=", ".join(action.to),
                sender=action.sender,
                cc=", ".join(action.cc),
                subject=action.subject,
                text=action.text,
                way=WAYS[action.way],
                live=action.live,
                headers=action.headers,
            )
        case CanonicalRefund():
            return RefundView(
                amount=str(action.amount),
                order_id=action.order_id,
                account_last4=action.account_last4,
                payment_ref=action.payment_ref,
                requester=action.requester,
                live=action.live,
                clauses=tuple(f"{clause.id} (version {clause.version})" for clause in action.clauses),
            )


def short(digest: str) -> str:
    """The first characters of a digest, in groups of four, for the eye; never for a comparison."""
    return " ".join(digest[at : at + 4] for at in range(0, _SHORT, 4))
