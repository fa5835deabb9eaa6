"""Reads all that a request's page rests on in one unit of work; it writes nothing and words nothing."""

from dataclasses import dataclass
from uuid import UUID

from api.auth import Interactive
from api.console.order_of_work import by_risk_and_age
from api.console.views.request import Grounds, RequestView, shown_request
from api.console.views.state import Standing, shown_state
from api.container import Container
from approvals.canonical import CanonicalReply, Sealed, unseal
from approvals.ports import Person
from db.read_models.queue import QueueItem, queue_item
from db.repositories.approvals import ApprovalRequest
from db.repositories.workspaces import Workspace
from db.uow import UnitOfWork
from support_agents.domain.approval import RequestStatus
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import OperatorId, RequestId
from support_agents.domain.money import Money
from support_agents.runner import TicketRunner

_NEAR = 200


@dataclass(frozen=True)
class RequestPage:
    """The view and the workspace for the banners around it."""

    view: RequestView
    workspace: Workspace


async def request_page(request_id: RequestId, interactive: Interactive, container: Container) -> RequestPage:
    """Read everything; `not_found` for other workspaces' requests as well."""
    person = interactive.person
    async with container.database.read() as uow:
        item = await queue_item(uow, request_id)
        if item is None or item.request.workspace_id != person.workspace:
            raise SupportError("not_found", "There is no such request.")
        standing = await _standing(uow, item, person)
        view = shown_request(
            await _grounds(uow, item, container.runner),
            shown_state(standing),
            neighbours=await _neighbours(uow, item.request),
            now=standing.now,
        )
        return RequestPage(view, await uow.workspaces.get(person.workspace))


async def _grounds(uow: UnitOfWork, item: QueueItem, runner: TicketRunner) -> Grounds:
    request = item.request
    snapshot = await uow.tickets.snapshot(item.ticket)
    action = unseal(Sealed(request.canonical, request.digest))
    edited = isinstance(action, CanonicalReply) and request.supersedes_id is not None
    return Grounds(
        request=request,
        action=action,
        ticket=item.ticket,
        messages=snapshot.messages,
        record=item.run,
        # An edit's text is judged by the same pure checks on the same stored evidence as when it was saved.
        rechecked=runner.recheck(item.run.sections, snapshot, action.text)
        if isinstance(action, CanonicalReply) and edited
        else None,
        edited_by=await _editor(uow, request) if edited else "",
        waits_for=await _waits_for(uow, request),
    )


async def _standing(uow: UnitOfWork, item: QueueItem, person: Person) -> Standing:
    return Standing(
        request=item.request,
        answers=item.answers,
        execution=item.execution,
        newer=await _newer(uow, item.request),
        revision=item.ticket.revision,
        person=person,
        now=await uow.now(),
    )


async def _newer(uow: UnitOfWork, request: ApprovalRequest) -> RequestId | None:
    """The open request that took this one's place: its edit, or the same kind of a newer run."""
    if request.status is not RequestStatus.SUPERSEDED:
        return None
    same = [other for other in await uow.approvals.open_on(request.ticket_id) if other.target == request.target]
    return next((other.id for other in reversed(same) if other.kind is request.kind), None)


async def _editor(uow: UnitOfWork, request: ApprovalRequest) -> str:
    """Who made the edit: the audit of the request that it replaced says so."""
    entries = await uow.audit.of(request.supersedes_id) if request.supersedes_id else ()
    actor = next((entry.actor for entry in reversed(entries) if entry.event == "request.superseded"), "")
    try:
        operator = await uow.operators.get(OperatorId(UUID(actor)))
    except ValueError:
        operator = None
    return (operator.name or operator.email) if operator else "somebody"


async def _waits_for(uow: UnitOfWork, request: ApprovalRequest) -> str:
    if request.after_action_id is None:
        return ""
    first = await uow.approvals.by_action(request.workspace_id, request.after_action_id)
    if first is None or first.amount_minor is None or first.currency is None:
        return "Goes out only once the action that it speaks of has succeeded."
    amount = Money(minor=first.amount_minor, currency=first.currency)
    return f"Goes out only once the refund of {amount} that it speaks of is booked."


async def _neighbours(uow: UnitOfWork, request: ApprovalRequest) -> tuple[RequestId | None, RequestId | None]:
    """The pending requests before and after this one, in the queue's order."""
    open_ones = await uow.approvals.open_in(request.workspace_id, limit=_NEAR)
    others = [o for o in open_ones if o.status is RequestStatus.PENDING and o.id != request.id]
    ids = [other.id for other in sorted([*others, request], key=by_risk_and_age)]
    at = ids.index(request.id)
    return (ids[at - 1] if at else None, ids[at + 1] if at + 1 < len(ids) else None)
