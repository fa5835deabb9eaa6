"""How it goes, for managers, with the switch that stops all dispatch; anyone signed in may read it."""

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from api.console.routing import HOME, ConsoleRoute, PosterDep, see_other, shell_of
from api.console.templating import page
from api.console.views.activity import shown_activity
from api.deps import ContainerDep, InteractiveDep
from approvals.authority import require_role
from approvals.presence import require_present
from db.read_models.activity import activity
from support_agents.domain.approval import Role

router = APIRouter(route_class=ConsoleRoute)

_MONTH = 720


@router.get("/activity")
async def show(
    interactive: InteractiveDep, container: ContainerDep, hours: Annotated[int, Query(ge=1, le=_MONTH)] = 24
) -> Response:
    """Show the figures of the last hours."""
    person = interactive.person
    async with container.database.read() as uow:
        found = await activity(uow, person.workspace, since=await uow.now() - timedelta(hours=hours))
        workspace = await uow.workspaces.get(person.workspace)
        pending = await uow.approvals.count_pending(person.workspace)
    view = shown_activity(found, workspace, person, hours=hours, pending=pending)
    return page("activity.html", shell_of(interactive, workspace, "activity"), {"view": view})


@router.post("/dispatch")
async def switch(poster: PosterDep, container: ContainerDep, to: Annotated[Literal["on", "off"], Form()]) -> Response:
    """Stop all dispatch (a manager), or let it go on (an admin)."""
    person = poster.person
    require_role(person.role, Role.ADMIN if to == "on" else Role.MANAGER)
    async with container.database.write("dispatch_switched") as uow:
        await require_present(uow, person)
        await (uow.workspaces.unpause(person.workspace) if to == "on" else uow.workspaces.pause(person.workspace))
        await uow.audit.append(
            workspace=person.workspace,
            event=f"dispatch.{to}",
            subject=person.workspace,
            actor=str(person.operator_id),
            data={"session": str(person.session_id)},
        )
    return see_other(f"{HOME}/activity")
