"""Who edited a request and what it waits for, in words; it reads and changes nothing."""

from uuid import UUID

from approvals.wording import HAPPENED
from db.repositories.approvals import ApprovalRequest
from db.uow import UnitOfWork
from support_agents.domain.ids import OperatorId
from support_agents.domain.money import Money


async def editor_of(uow: UnitOfWork, request: ApprovalRequest) -> str:
    """Who made the edit: the audit of the request that it replaced says so."""
    entries = await uow.audit.of(request.supersedes_id) if request.supersedes_id else ()
    actor = next((entry.actor for entry in reversed(entries) if entry.event == "request.superseded"), "")
    try:
        operator = await uow.operators.get(OperatorId(UUID(actor)))
    except ValueError:
        operator = None
    return (operator.name or operator.email) if operator else "somebody"


async def waits_for(uow: UnitOfWork, request: ApprovalRequest) -> str:
    """What must have happened before an approved action leaves, in a sentence; empty for most."""
    if request.after_action_id is None:
        return ""
    first = await uow.approvals.by_action(request.workspace_id, request.after_action_id)
    if first is None:
        return "Goes out only once the action that it speaks of has succeeded."
    what, how = HAPPENED[first.kind]
    money = first.amount_minor is not None and first.currency is not None
    of = f" of {Money(minor=first.amount_minor or 0, currency=first.currency or '')}" if money else ""
    return f"Goes out only once {what}{of} is {how}."
