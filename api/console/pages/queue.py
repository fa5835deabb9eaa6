"""The first page: what waits for people, refreshed while it is open; it changes nothing."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.auth import Interactive
from api.console.routing import ConsoleRoute, shell_of
from api.console.templating import page
from api.console.views.queue import QueueGiven, shown_queue
from api.container import Container
from api.deps import ContainerDep, InteractiveDep, WatcherDep
from db.read_models.activity import activity
from db.read_models.queue import queue, queue_item

router = APIRouter(route_class=ConsoleRoute)

_PAGE = 50
_DOUBTED = 8
Cursor = Annotated[str | None, Query(max_length=200)]


@router.get("")
async def show(interactive: InteractiveDep, container: ContainerDep, after: Cursor = None) -> Response:
    """Show the whole page."""
    return await _lists("queue.html", interactive, container, after)


@router.get("/queue/lists")
async def lists(watcher: WatcherDep, container: ContainerDep, after: Cursor = None) -> Response:
    """Show the lists alone, for a page that is open."""
    return await _lists("parts/queue_lists.html", watcher, container, after)


async def _lists(template: str, interactive: Interactive, container: Container, after: str | None) -> Response:
    mine = interactive.person.workspace
    async with container.database.read() as uow:
        now = await uow.now()
        stuck = await activity(uow, mine, since=now)
        doubted = [await queue_item(uow, execution.request_id) for execution in stuck.in_doubt[:_DOUBTED]]
        given = QueueGiven(
            page=await queue(uow, mine, limit=_PAGE, cursor=after or None),
            after=after,
            pending=await uow.approvals.count_pending(mine),
            activity=stuck,
            doubted=[item for item in doubted if item is not None],
            now=now,
        )
        workspace = await uow.workspaces.get(mine)
    return page(template, shell_of(interactive, workspace, "queue"), {"view": shown_queue(given)})
