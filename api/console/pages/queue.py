"""The first page: what waits for people, refreshed while it is open; it changes nothing."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.auth import Interactive
from api.console.pages.decided import Done, just_decided
from api.console.routing import ConsoleRoute, shell_of, workspace_now
from api.console.templating import page
from api.console.views.decided import DecidedView
from api.console.views.queue import QueueGiven, shown_queue
from api.container import Container
from api.deps import ContainerDep, InteractiveDep, Shown, ShownDep, WatcherDep
from db.read_models.activity import activity
from db.read_models.queue import queue, queue_item

router = APIRouter(route_class=ConsoleRoute)

_PAGE = 50
_DOUBTED = 8
Cursor = Annotated[str | None, Query(max_length=200)]
Ended = Annotated[bool, Query(description="whether to say so when nothing is left to decide")]


@router.get("")
async def show(
    interactive: InteractiveDep, container: ContainerDep, shown: ShownDep, after: Cursor = None, done: Done = ""
) -> Response:
    """Show the whole page, below what this person decided just before, if they come from there."""
    decided = await just_decided(done, "queue", interactive, container)
    return await _lists("queue.html", interactive, container, shown, after, ended=decided is not None, decided=decided)


@router.get("/queue/lists")
async def lists(
    watcher: WatcherDep, container: ContainerDep, shown: ShownDep, after: Cursor = None, *, ended: Ended = False
) -> Response:
    """Show the lists alone, for a page that is open."""
    return await _lists("parts/queue_lists.html", watcher, container, shown, after, ended=ended)


async def _lists(  # noqa: PLR0913 - the lists, and what the whole page has besides
    template: str,
    interactive: Interactive,
    container: Container,
    shown: Shown,
    after: str | None,
    *,
    ended: bool,
    decided: DecidedView | None = None,
) -> Response:
    query = urlencode(({"ended": 1} if ended else {}) | ({"after": after} if after else {}))
    # The whole page looks through all that waits; one that asks again every few seconds through no more than it shows.
    most = {} if decided else {"most": _PAGE}
    left = await container.deciding.left(interactive.person, **most) if ended else None
    mine = interactive.person.workspace
    async with shown() as uow:
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
    workspace = await workspace_now(container, mine)
    values = {"view": shown_queue(given), "decided": decided, "left": left, "query": query}
    return page(template, shell_of(interactive, workspace, "queue"), values)
