"""Ending the quarantine of a restored database: an admin's decision, in their own session."""

from fastapi import APIRouter
from starlette.responses import Response

from api.deps import ContainerDep, PersonDep
from api.errors import documented

router = APIRouter(prefix="/v1", tags=["quarantine"])


@router.post(
    "/quarantine/adopt",
    status_code=204,
    responses=documented("unauthenticated", "person_needed", "csrf", "not_allowed", "conflict"),
)
async def adopt(person: PersonDep, container: ContainerDep) -> Response:
    """Go on with this database under a new epoch; what was in doubt is then asked about."""
    await container.standings.adopt(person)
    return Response(status_code=204)
