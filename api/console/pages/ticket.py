"""Tickets as a list and one ticket whole; it changes nothing."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.console.routing import ConsoleRoute, shell_of
from api.console.templating import page
from api.console.views.ticket import shown_ticket
from api.console.views.tickets import shown_tickets
from api.deps import ContainerDep, InteractiveDep
from db.read_models.ticket_timeline import ticket_timeline
from db.read_models.tickets import tickets
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import TicketId

router = APIRouter(route_class=ConsoleRoute)

_PAGE = 50


@router.get("/tickets")
async def show_all(
    interactive: InteractiveDep,
    container: ContainerDep,
    after: Annotated[str | None, Query(max_length=200)] = None,
    waiting: Annotated[int, Query(ge=0, le=1)] = 0,
) -> Response:
    """List tickets, or with `waiting` only those that wait for a person."""
    mine = interactive.person.workspace
    async with container.database.read() as uow:
        found = await tickets(uow, mine, needs_person=bool(waiting), limit=_PAGE, cursor=after or None)
        view = shown_tickets(found, waiting=bool(waiting), now=await uow.now())
        workspace = await uow.workspaces.get(mine)
    return page("tickets.html", shell_of(interactive, workspace, "tickets"), {"view": view})


@router.get("/tickets/{ticket_id}")
async def show(ticket_id: UUID, interactive: InteractiveDep, container: ContainerDep) -> Response:
    """Show one ticket's life."""
    mine = interactive.person.workspace
    async with container.database.read() as uow:
        timeline = await ticket_timeline(uow, TicketId(ticket_id))
        if timeline.ticket.workspace_id != mine:
            raise SupportError("not_found", "There is no such ticket.")
        view = shown_ticket(timeline, now=await uow.now())
        workspace = await uow.workspaces.get(mine)
    return page("ticket.html", shell_of(interactive, workspace, "tickets"), {"view": view})
