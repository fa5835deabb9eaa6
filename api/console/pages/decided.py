"""The lines above a page that say what its reader decided just before; another's decisions are never told here."""

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.auth import Interactive
from api.console.pages.grounds import standing_of
from api.console.routing import HOME, ConsoleRoute
from api.console.templating import Shell, page
from api.console.views.action import shown_action
from api.console.views.decided import DecidedGiven, DecidedView, Place, shown_decided
from api.console.views.state import shown_state
from api.container import Container
from api.deps import ContainerDep, WatcherDep
from approvals.canonical import Sealed, unseal
from db.read_models.queue import queue_item
from support_agents.domain.ids import RequestId

router = APIRouter(route_class=ConsoleRoute)

# Read leniently: whatever is no request of ours, decided by whoever reads, shows nothing.
Done = Annotated[str, Query(description="the request that was decided on the page before")]


@router.get("/requests/{request_id}/decided")
async def decided(request_id: UUID, watcher: WatcherDep, container: ContainerDep, on: Place = "queue") -> Response:
    """Show the lines alone, for a page that is open."""
    view = await just_decided(str(request_id), on, watcher, container)
    return page("parts/decided.html", Shell(watcher.person, watcher.csrf), {"decided": view})


async def just_decided(done: str, place: Place, interactive: Interactive, container: Container) -> DecidedView | None:
    """What is on record of this request, if it is this workspace's and this person has decided on it."""
    request_id = _identity(done)
    if request_id is None or request_id == place:
        return None
    person = interactive.person
    async with container.database.read() as uow:
        item = await queue_item(uow, request_id)
        if item is None or item.request.workspace_id != person.workspace:
            return None
        mine = [a.decision for a in item.answers if a.decision.operator_id == person.operator_id]
        if not mine:
            return None
        standing = await standing_of(uow, item, person, container)
    undo_until = item.execution.not_before if item.execution is not None else None
    window = undo_until - item.execution.created_at if undo_until and item.execution else timedelta()
    given = DecidedGiven(
        request_id=request_id,
        status=item.request.status,
        seeded=item.request.seeded_by is not None,
        ticket=item.ticket,
        action=shown_action(unseal(Sealed(item.request.canonical, item.request.digest))),
        state=shown_state(standing),
        undo_until=undo_until,
        window=window.total_seconds(),
    )
    return shown_decided(given, place=place)


def onward(decided_id: UUID, place: Place | None) -> str:
    """The address of the page that comes after a decision; None: the request's own."""
    if place is None:
        return f"{HOME}/requests/{decided_id}"
    done = urlencode({"done": str(decided_id)})
    return f"{HOME}?{done}" if place == "queue" else f"{HOME}/requests/{place}?{done}"


def _identity(text: str) -> RequestId | None:
    try:
        return RequestId(UUID(text))
    except ValueError:
        return None
