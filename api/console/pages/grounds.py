"""Reads all that a request's page rests on in one unit of work; it writes nothing and words nothing."""

from dataclasses import dataclass, replace

from api.auth import Interactive
from api.console.views.request import Grounds, RequestView, shown_request
from api.console.views.state import Standing, shown_state
from api.container import Container
from approvals.authority import Authority
from approvals.canonical import CanonicalReply, Sealed, unseal
from approvals.fuller import fuller_of
from approvals.item_lines import flags_of
from approvals.order_of_work import by_risk_and_age
from approvals.ports import Person
from approvals.presence import require_present
from approvals.provenance import editor_of, waits_for
from approvals.seed_cover import covered
from db.read_models.queue import QueueItem, queue_item
from db.repositories.approvals import ApprovalRequest
from db.repositories.workspaces import Workspace
from db.uow import UnitOfWork
from support_agents.domain.approval import RequestStatus
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import RequestId
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
        factor = await _factor(uow, item.request, person, container.queue.authority)
        standing = await standing_of(uow, item, person, container, factor=factor)
        state = replace(shown_state(standing), stamp=container.deciding.stamp(person, request_id, standing.now))
        view = shown_request(
            await _grounds(uow, item, container.runner),
            state,
            neighbours=await _neighbours(uow, item.request),
            now=standing.now,
        )
        return RequestPage(view, await uow.workspaces.get(person.workspace))


async def _grounds(uow: UnitOfWork, item: QueueItem, runner: TicketRunner) -> Grounds:
    item = covered(item)
    request = item.request
    snapshot = await uow.tickets.snapshot(item.ticket)
    action = unseal(Sealed(request.canonical, request.digest))
    edited = isinstance(action, CanonicalReply) and request.supersedes_id is not None
    waits = await waits_for(uow, request)
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
        edited_by=await editor_of(uow, request) if edited else "",
        waits_for=waits,
        flags=flags_of(item, beside=waits),
        fuller=await fuller_of(uow, item),
    )


async def _factor(uow: UnitOfWork, request: ApprovalRequest, person: Person, authority: Authority) -> str:
    """What approving this will ask the person for: a code, a factor to be enrolled, or nothing."""
    present = await require_present(uow, person)
    if not authority.asks_factor(request.kind, enrolled=present.enrolled):
        return ""
    if not present.enrolled:
        return "enrol"
    return "" if present.factor_fresh else "code"


async def standing_of(
    uow: UnitOfWork, item: QueueItem, person: Person, container: Container, *, factor: str = ""
) -> Standing:
    """Where a request stands, for this person, now."""
    return Standing(
        request=item.request,
        answers=item.answers,
        execution=item.execution,
        after_kind=item.after_kind,
        newer=await _newer(uow, item.request),
        revision=item.ticket.revision,
        person=person,
        now=await uow.now(),
        settler=container.queue.entitlement.settler(item.request),
        factor=factor,
    )


async def _newer(uow: UnitOfWork, request: ApprovalRequest) -> RequestId | None:
    """The open request that took this one's place: its edit, or the same kind of a newer run."""
    if request.status is not RequestStatus.SUPERSEDED:
        return None
    same = [other for other in await uow.approvals.open_on(request.ticket_id) if other.target == request.target]
    return next((other.id for other in reversed(same) if other.kind is request.kind), None)


async def _neighbours(uow: UnitOfWork, request: ApprovalRequest) -> tuple[RequestId | None, RequestId | None]:
    """The pending requests before and after this one, in the queue's order."""
    open_ones = await uow.approvals.open_in(request.workspace_id, limit=_NEAR)
    others = [o for o in open_ones if o.status is RequestStatus.PENDING and o.id != request.id]
    ids = [other.id for other in sorted([*others, request], key=by_risk_and_age)]
    at = ids.index(request.id)
    return (ids[at - 1] if at else None, ids[at + 1] if at + 1 < len(ids) else None)
