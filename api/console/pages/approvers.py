"""How approving goes, for managers: caught and missed checks, edits, concentration of refunds; never how fast."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from api.console.routing import HOME, ConsoleRoute, PosterDep, see_other, shell_of
from api.console.templating import page
from api.console.views.approvers import shown_approvers
from api.deps import ContainerDep, InteractiveDep, ShownDep
from approvals.authority import require_role
from db.read_models.approvers import approver_figures
from support_agents.domain.approval import Role
from support_agents.domain.ids import RunId

router = APIRouter(route_class=ConsoleRoute)

_YEAR = 366


@router.get("/approvers")
async def show(
    interactive: InteractiveDep,
    container: ContainerDep,
    shown: ShownDep,
    days: Annotated[int, Query(ge=1, le=_YEAR)] = 30,
) -> Response:
    """Show the figures of the last days, and what could be seeded."""
    me = interactive.person
    require_role(me.role, Role.MANAGER)
    async with shown() as uow:
        figures = await approver_figures(uow, me.workspace, since=await uow.now() - timedelta(days=days))
    async with container.database.read() as uow:
        people = await uow.operators.all(me.workspace)
        workspace = await uow.workspaces.get(me.workspace)
    candidates = await container.seeds.candidates(me.workspace)
    settings = container.settings
    names = {p.id: p.name or p.email for p in people} if settings.per_person_figures else {}
    view = shown_approvers(figures, candidates, names, days=days, checks_allowed=settings.attention_checks)
    return page("approvers.html", shell_of(interactive, workspace, "approvers"), {"view": view})


@router.post("/approvers/checks")
async def plant(poster: PosterDep, container: ContainerDep, run: Annotated[UUID, Form()]) -> Response:
    """Put a blocked draft to people as a check of attention."""
    await container.seeds.plant(poster.person, RunId(run))
    return see_other(f"{HOME}/approvers")
