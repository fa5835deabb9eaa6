"""Everybody who may sign in, for admins, with the reset of a second factor; nobody resets their own."""

from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from api.console.routing import HOME, ConsoleRoute, PosterDep, see_other, shell_of
from api.console.templating import page
from api.deps import ContainerDep, InteractiveDep
from approvals.authority import require_role
from support_agents.domain.approval import Role
from support_agents.domain.ids import OperatorId

router = APIRouter(route_class=ConsoleRoute)


@dataclass(frozen=True)
class PersonLine:
    """One person as the list shows them."""

    id: OperatorId
    who: str
    email: str
    role: str
    disabled: bool
    enrolled: bool
    is_me: bool


@router.get("/people")
async def show(interactive: InteractiveDep, container: ContainerDep) -> Response:
    """List everybody."""
    me = interactive.person
    require_role(me.role, Role.ADMIN)
    async with container.database.read() as uow:
        people = await uow.operators.all(me.workspace)
        enrolled = await uow.second_factors.enrolled(me.workspace)
        workspace = await uow.workspaces.get(me.workspace)
    lines = tuple(
        PersonLine(
            p.id,
            p.name or p.email,
            p.email,
            p.role,
            p.disabled_at is not None,
            p.id in enrolled,
            p.id == me.operator_id,
        )
        for p in people
    )
    return page("people.html", shell_of(interactive, workspace, "people"), {"people": lines})


@router.post("/people/{operator_id}/factor/reset")
async def reset(operator_id: UUID, poster: PosterDep, container: ContainerDep) -> Response:
    """Take another person's factor away; they sign in anew and set one up again."""
    await container.factors.reset(poster.person, OperatorId(operator_id))
    return see_other(f"{HOME}/people")
