"""Whether this process lives and whether it can work; it tells nothing about anybody's data."""

import asyncio

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import JSONResponse

from api.container import Container
from api.deps import ContainerDep
from db.upgrade import is_current
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE

router = APIRouter(tags=["health"])
_BROKER_SECONDS = 2.0


class Readiness(BaseModel):
    """Each part by itself; `ready` when all that a ticket needs of this process works.

    Quarantine stops dispatch, not intake; and while the broker is `away` events wait in the database, where a webhook
    that was not taken in would be lost.
    """

    ready: bool
    database: bool
    migrations: bool
    worker: bool
    index: bool
    clock: bool
    dispatch: str
    broker: str


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """Answer while the event loop turns."""
    return {"status": "ok"}


@router.get("/readyz", response_model=Readiness, responses={503: {"model": Readiness, "description": "Not ready"}})
async def ready(container: ContainerDep) -> JSONResponse:
    """Answer 200 when messages are received, thought about and shown; otherwise 503 and which part is missing."""
    dispatch = await _dispatch(container)
    database = dispatch != "unknown"
    parts = {
        "database": database,
        "migrations": database and await asyncio.to_thread(is_current, container.settings.database),
        "worker": container.worker.alive,
        "index": container.keeper.ready,
        "clock": container.worker.steady,
    }
    state = Readiness(ready=all(parts.values()), dispatch=dispatch, broker=await _broker(container), **parts)
    return JSONResponse(state.model_dump(), status_code=200 if state.ready else 503)


async def _broker(container: Container) -> str:
    """Whether workers can be told of work: `reachable`, `away`; `none` where one process does it all."""
    if container.broker is None:
        return "none"
    try:
        async with asyncio.timeout(_BROKER_SECONDS):
            await container.broker()
    except (SupportError, TimeoutError):
        return "away"
    return "reachable"


async def _dispatch(container: Container) -> str:
    """Whether effects may leave: `on`, `paused`, `quarantined`; `unknown` without a database."""
    try:
        async with container.database.read() as uow:
            workspace = await uow.workspaces.get(DEFAULT_WORKSPACE)
    except SupportError:
        return "unknown"
    if workspace.quarantined_at is not None:
        return "quarantined"
    return "on" if workspace.may_dispatch else "paused"
