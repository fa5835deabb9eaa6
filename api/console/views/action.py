"""An approval request's exact bytes as a page shows them: letter, refund or step; nothing is derived from a draft."""

from dataclasses import dataclass

from approvals.canonical import AnyAction, CanonicalRefund, CanonicalReply, CanonicalStep
from approvals.wording import KINDS, WAYS

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
    attachments: tuple[str, ...]


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
    gateway: str


@dataclass(frozen=True)
class StepView:
    """What the shop's own system would be asked for, as it would be sent."""

    title: str
    order_id: str
    requester: str
    url: str
    body: str
    live: bool
    clauses: tuple[str, ...]


def shown_action(action: AnyAction) -> LetterView | RefundView | StepView:
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
                headers=action.headers + ((("DKIM-Signature", action.dkim),) if action.dkim else ()),
                attachments=tuple(f"{file.filename} ({file.size} bytes)" for file in action.attachments),
            )
        case CanonicalRefund():
            return RefundView(
                amount=str(action.amount),
                order_id=action.order_id,
                account_last4=action.account_last4,
                payment_ref=action.payment_ref,
                requester=action.requester,
                live=action.live,
                clauses=_clauses(action),
                gateway=action.gateway,
            )
        case CanonicalStep():
            return StepView(
                title=KINDS[action.kind],
                order_id=action.order_id,
                requester=action.requester,
                url=action.url,
                body=action.body,
                live=action.live,
                clauses=_clauses(action),
            )


def _clauses(action: CanonicalRefund | CanonicalStep) -> tuple[str, ...]:
    return tuple(f"{clause.id} (version {clause.version})" for clause in action.clauses)


def short(digest: str) -> str:
    """The first characters of a digest, in groups of four, for the eye; never for a comparison."""
    return " ".join(digest[at : at + 4] for at in range(0, _SHORT, 4))
