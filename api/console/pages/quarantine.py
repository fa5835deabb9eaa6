"""Ending quarantine after a restore: an admin's decision in their own session; it shows no page of its own."""

from fastapi import APIRouter
from starlette.responses import Response

from api.console.routing import HOME, ConsoleRoute, PosterDep, see_other
from api.deps import ContainerDep

router = APIRouter(route_class=ConsoleRoute)


@router.post("/quarantine/adopt")
async def adopt(poster: PosterDep, container: ContainerDep) -> Response:
    """Go on with this database; what was in doubt is then asked about."""
    await container.standings.adopt(poster.person)
    return see_other(HOME)
