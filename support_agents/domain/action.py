"""Typed steps that a run proposes; proposing is all that the pipeline can do."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from support_agents.domain.money import Money


class ActionKind(StrEnum):
    """Irreversible kinds; each needs a person's approval of its exact bytes."""

    SEND_REPLY = "send_reply"
    ISSUE_REFUND = "issue_refund"
    CANCEL_ORDER = "cancel_order"
    REPLACE_ORDER = "replace_order"
    DELETE_RECORD = "delete_record"


class ClauseRef(BaseModel):
    """A clause of the policy ledger at one version."""

    model_config = ConfigDict(frozen=True)

    id: str
    version: int


class SendReply(BaseModel):
    """A reply to the ticket's own requester; `to` is copied from the signed ticket, never from text."""

    model_config = ConfigDict(frozen=True)

    kind: Literal[ActionKind.SEND_REPLY] = ActionKind.SEND_REPLY
    ref: str = Field(default="reply", description="names the action within its run")
    to: str
    subject: str
    text: str
    clauses: tuple[ClauseRef, ...] = ()
    after: str | None = Field(default=None, description="ref of an action that must have succeeded first")
    attachments: tuple[str, ...] = Field(default=(), description="names of knowledge base files; never a customer's")


class IssueRefund(BaseModel):
    """A refund whose order, payment, account and amount all come from the order system."""

    model_config = ConfigDict(frozen=True)

    kind: Literal[ActionKind.ISSUE_REFUND] = ActionKind.ISSUE_REFUND
    ref: str = "refund"
    order_id: str
    order_version: str
    payment_ref: str
    account_last4: str
    amount: Money
    clauses: tuple[ClauseRef, ...]
    after: str | None = None


class CancelOrder(BaseModel):
    """The cancelling of an order that has not left yet; order and version come from the order system."""

    model_config = ConfigDict(frozen=True)

    kind: Literal[ActionKind.CANCEL_ORDER] = ActionKind.CANCEL_ORDER
    ref: str = "cancellation"
    order_id: str
    order_version: str
    clauses: tuple[ClauseRef, ...]
    after: str | None = None


class ReplaceOrder(BaseModel):
    """The sending of the same item once more; all of it comes from the order system."""

    model_config = ConfigDict(frozen=True)

    kind: Literal[ActionKind.REPLACE_ORDER] = ActionKind.REPLACE_ORDER
    ref: str = "replacement"
    order_id: str
    order_version: str
    item: str
    quantity: int = Field(ge=1)
    clauses: tuple[ClauseRef, ...]
    after: str | None = None


class DeleteRecord(BaseModel):
    """The deleting of a customer's own record: always that of the ticket's authenticated requester."""

    model_config = ConfigDict(frozen=True)

    kind: Literal[ActionKind.DELETE_RECORD] = ActionKind.DELETE_RECORD
    ref: str = "deletion"
    clauses: tuple[ClauseRef, ...]
    after: str | None = None


OrderStep = CancelOrder | ReplaceOrder | DeleteRecord
ProposedAction = Annotated[
    SendReply | IssueRefund | CancelOrder | ReplaceOrder | DeleteRecord, Field(discriminator="kind")
]
