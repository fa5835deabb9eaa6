"""Where Prometheus asks: counts, ages and times of the installation; it tells nothing of anybody."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.auth import is_loopback
from api.deps import ContainerDep, caller_of, peer_of, reader_of
from api.errors import documented
from api.telemetry.metrics import MEDIA_TYPE, Metrics

router = APIRouter(tags=["metrics"])


async def scraper_of(request: Request, container: ContainerDep) -> None:
    """Let a reader in; without a token only a process on this machine, and only where settings say so."""
    if not (container.settings.metrics_on_loopback and is_loopback(peer_of(request))):
        await reader_of(await caller_of(request, container))


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {"description": "Prometheus's text format", "content": {"text/plain": {}}},
        **documented("unauthenticated", "not_allowed", "database_unavailable"),
    },
)
async def metrics(request: Request, _scraper: Annotated[None, Depends(scraper_of)]) -> Response:
    """Return every metric."""
    found: Metrics = request.app.state.metrics
    return Response(await found.text(), media_type=MEDIA_TYPE)
