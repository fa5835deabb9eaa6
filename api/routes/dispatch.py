"""What may leave now, over REST; stopping and going on are for people in the console and for the machine itself."""

from datetime import datetime

from fastapi import APIRouter

from api.deps import ContainerDep, ReaderDep, workspace_of
from api.errors import documented
from api.schemas import Body

router = APIRouter(prefix="/v1", tags=["dispatch"])


class StopBody(Body):
    """A stop by kind of action or by way out."""

    scope: str
    what: str
    since: datetime


class DispatchBody(Body):
    """`on` says whether anything may leave at all; `stops` what may not although it is on."""

    on: bool
    stopped_at: datetime | None
    quarantined_at: datetime | None
    stops: tuple[StopBody, ...]


@router.get("/dispatch", responses=documented("unauthenticated", "not_allowed"))
async def state(caller: ReaderDep, container: ContainerDep) -> DispatchBody:
    """Tell what is stopped."""
    found = await container.switch.state(workspace_of(caller))
    return DispatchBody(
        on=found.stopped_at is None and found.quarantined_at is None,
        stopped_at=found.stopped_at,
        quarantined_at=found.quarantined_at,
        stops=tuple(StopBody(scope=s.scope, what=s.what, since=s.stopped_at) for s in found.stops),
    )
