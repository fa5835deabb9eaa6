"""Whether this process lives and whether it can work; it tells nothing about anybody's data."""

import asyncio
from typing import NamedTuple

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import JSONResponse

from api.container import Container
from api.deps import ContainerDep
from db.upgrade import problem_of
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE

router = APIRouter(tags=["health"])
_BROKER_SECONDS = 2.0


class Readiness(BaseModel):
    """Each part by itself; `ready` when all that a ticket needs of this process works; `problem` says what to do.

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
    problem: str = ""


class _Stored(NamedTuple):
    """What the database says: how dispatch stands, and what is wrong with the schema."""

    dispatch: str
    problem: str = ""


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """Answer while the event loop turns."""
    return {"status": "ok"}


@router.get("/readyz", response_model=Readiness, responses={503: {"model": Readiness, "description": "Not ready"}})
async def ready(container: ContainerDep) -> JSONResponse:
    """Answer 200 when messages are received, thought about and shown; otherwise 503 and which part is missing."""
    dispatch, problem = await _stored(container)
    database = dispatch != "unknown"
    parts = {
        "database": database,
        "migrations": database and not problem,
        "worker": container.worker.alive,
        "index": container.keeper.ready,
        "clock": container.worker.steady,
    }
    broker = await _broker(container)
    state = Readiness(ready=all(parts.values()), dispatch=dispatch, broker=broker, problem=problem, **parts)
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


async def _stored(container: Container) -> _Stored:
    """Whether effects may leave: `on`, `paused`, `quarantined`; `unknown` without a database."""
    try:
        async with container.database.read() as uow:
            workspace = await uow.workspaces.get(DEFAULT_WORKSPACE)
            problem = await problem_of(uow)
    except SupportError:
        return _Stored("unknown")
    if workspace.quarantined_at is not None:
        return _Stored("quarantined", problem)
    return _Stored("on" if workspace.may_dispatch else "paused", problem)
