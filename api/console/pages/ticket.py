"""Tickets as a list and one ticket whole, where people say what a message was really about."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from api.console.routing import HOME, ConsoleRoute, PosterDep, see_other, shell_of, workspace_now
from api.console.templating import page
from api.console.views.ticket import shown_ticket
from api.console.views.tickets import shown_tickets
from api.deps import ContainerDep, InteractiveDep, ShownDep
from approvals.authority import RANK
from db.read_models.ticket_timeline import ticket_timeline
from db.read_models.tickets import tickets
from support_agents.domain.approval import Role
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import RunId, TicketId

router = APIRouter(route_class=ConsoleRoute)

_PAGE = 50


@router.get("/tickets")
async def show_all(
    interactive: InteractiveDep,
    container: ContainerDep,
    shown: ShownDep,
    after: Annotated[str | None, Query(max_length=200)] = None,
    waiting: Annotated[int, Query(ge=0, le=1)] = 0,
) -> Response:
    """List tickets, or with `waiting` only those that wait for a person."""
    mine = interactive.person.workspace
    async with shown() as uow:
        found = await tickets(uow, mine, needs_person=bool(waiting), limit=_PAGE, cursor=after or None)
        view = shown_tickets(found, waiting=bool(waiting), now=await uow.now())
    workspace = await workspace_now(container, mine)
    return page("tickets.html", shell_of(interactive, workspace, "tickets"), {"view": view})


@router.get("/tickets/{ticket_id}")
async def show(ticket_id: UUID, interactive: InteractiveDep, container: ContainerDep, shown: ShownDep) -> Response:
    """Show one ticket's life."""
    mine = interactive.person.workspace
    async with shown() as uow:
        timeline = await ticket_timeline(uow, TicketId(ticket_id))
        if timeline.ticket.workspace_id != mine:
            raise SupportError("not_found", "There is no such ticket.")
        corrected = await uow.intent_corrections.intents(mine, [record.run_id for record in timeline.runs])
        view = shown_ticket(timeline, corrected, now=await uow.now())
    workspace = await workspace_now(container, mine)
    may_correct = RANK[interactive.person.role] >= RANK[Role.APPROVER]
    known = sorted(container.correcting.known) if may_correct else ()
    return page("ticket.html", shell_of(interactive, workspace, "tickets"), {"view": view, "known": known})


@router.post("/runs/{run_id}/intent")
async def correct(
    run_id: UUID, poster: PosterDep, container: ContainerDep, intent: Annotated[str, Form(max_length=100)]
) -> Response:
    """Keep what the message of a run was about."""
    kept = await container.correcting.correct(RunId(run_id), intent=intent, person=poster.person)
    return see_other(f"{HOME}/tickets/{kept.ticket_id}")
