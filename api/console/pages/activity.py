"""How it goes, for managers, with the switches that stop dispatch; anyone signed in may read it."""

from datetime import timedelta
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from api.console.routing import HOME, ConsoleRoute, PosterDep, see_other, shell_of, workspace_now
from api.console.templating import page
from api.console.views.activity import shown_activity
from api.console.views.models import Asked, shown_models
from api.container import Container
from api.deps import ContainerDep, InteractiveDep, ShownDep
from api.model_sources import every_source
from approvals.canonical import Way
from approvals.dispatch import Extent
from db.read_models.activity import activity
from db.read_models.model_cost import cost_by_intent
from db.read_models.model_use import model_use
from support_agents.domain.action import ActionKind
from support_agents.llm.spending import month_of

router = APIRouter(route_class=ConsoleRoute)

_MONTH = 720
# Seconds a page waits for articles that are being compared; a few hundred take less.
_PATIENCE = 1.0


@router.get("/activity")
async def show(
    interactive: InteractiveDep,
    container: ContainerDep,
    shown: ShownDep,
    hours: Annotated[int, Query(ge=1, le=_MONTH)] = 24,
) -> Response:
    """Show the figures of the last hours."""
    person = interactive.person
    dispatch = await container.switch.state(person.workspace)
    workspace = await workspace_now(container, person.workspace)
    today = container.clock.now().date()
    conflicts = await container.conflicts.found(person.workspace, today, patience=_PATIENCE)
    async with shown() as uow:
        found = await activity(uow, person.workspace, since=await uow.now() - timedelta(hours=hours))
        pending = await uow.approvals.count_pending(person.workspace)
        window = await model_use(uow, person.workspace, since=await uow.now() - timedelta(hours=hours))
        costs = await cost_by_intent(uow, person.workspace, since=await uow.now() - timedelta(hours=hours))
        month = await model_use(uow, person.workspace, since=month_of(await uow.now()))
        expired = container.runner.pipeline.policy.expired((await uow.now()).date())
    models = shown_models(window, month, _asked(container), costs)
    view = shown_activity(
        found, workspace, person, hours=hours, pending=pending, stops=dispatch.stops, models=models,
        expired=[f"{clause.id} v{clause.version}" for clause in expired], conflicts=conflicts,
    )  # fmt: skip
    return page("activity.html", shell_of(interactive, workspace, "activity"), {"view": view})


def _asked(container: Container) -> Asked:
    """Who is asked, and by what this process knows of all workspaces' spending, whether still."""
    limit = container.settings.llm_monthly_limit_usd
    reached = partial(container.spend.reached, limit_usd=limit)
    return Asked(every_source(container.settings), limit, reached)


@router.post("/dispatch")
async def switch(
    poster: PosterDep,
    container: ContainerDep,
    to: Annotated[Literal["on", "off"], Form()],
    kind: Annotated[ActionKind | Literal[""], Form()] = "",
    way: Annotated[Way | Literal[""], Form()] = "",
) -> Response:
    """Stop all dispatch, a kind or a way (a manager), or let it go on (an admin)."""
    extent = Extent(kind or None, way or None)
    await (container.switch.resume if to == "on" else container.switch.stop)(poster.person, extent)
    return see_other(f"{HOME}/activity")
