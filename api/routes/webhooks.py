"""Where helpdesks deliver events: verify, store, answer 202; it thinks about nothing and calls nobody."""

import json
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from api.choices import Privilege
from api.container import Container
from api.deps import ContainerDep
from api.edge import RECEIVED_AT
from api.errors import documented
from api.intake.protocol import Unparseable
from api.schemas import Acknowledged
from approvals.bounces import Bounce
from support_agents.domain.errors import AskedToWaitError, SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.domain.ticket import Bounced, InboundMessage

# How a delivery may be refused; nothing is stored then.
REFUSALS = (
    "bad_signature",
    "stale_signature",
    "unknown_source",
    "too_large",
    "rate_limited",
    "overloaded",
    "database_unavailable",
)


class _Unresolved(APIRoute):
    """Documented like every route, but called at once: its two arguments need no resolving for every event."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""

        async def answer(request: Request) -> Response:
            container: Container = request.app.state.container
            return await receive(request.path_params["source"], request, container)

        return answer


router = APIRouter(tags=["webhooks"], route_class=_Unresolved)


@router.post(
    "/webhooks/{source}",
    status_code=202,
    response_class=Response,
    responses={
        202: {"description": "Stored; a duplicate is acknowledged like its original", "model": Acknowledged},
        **documented(*REFUSALS),
    },
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}},
)
async def receive(source: Annotated[str, Path(max_length=50)], request: Request, container: ContainerDep) -> Response:
    """Take one signed event. A 202 means that it is on disk, even when its shape is unknown (`ticket_id` is null)."""
    intake = container.intakes.get(source)
    if intake is None:
        raise SupportError("unknown_source", "No such source, or no secret is set for it.")
    received_at = request.scope[RECEIVED_AT]
    raw = await request.body()
    intake.verify(raw, request.headers, received_at)
    await admitted(source, request, container)
    inbound = intake.parse(raw, received_at)
    if isinstance(inbound, Unparseable):
        await container.ticket_store.bury(
            workspace=DEFAULT_WORKSPACE, source=source, raw=raw, reason=inbound.reason, received_at=received_at
        )
        return _acknowledged(None, duplicate=False)
    received = await container.ticket_store.receive(inbound, raw)
    # Where privileges are separated, intake may not touch what became of a letter.
    if inbound.bounced is not None and container.settings.privilege is not Privilege.INTAKE:
        # Also for a duplicate: what was lost between the two commits is made up for when it is delivered again.
        await container.bounces.take(_bounce(inbound, inbound.bounced, raw))
    return _acknowledged(str(received.ticket_id), duplicate=received.duplicate)


async def admitted(source: str, request: Request, container: Container) -> None:
    """Return if the verified delivery may be taken now; a refusal is counted, and answered 429."""
    try:
        await container.admission.ask(source)
    except AskedToWaitError as refused:
        request.app.state.metrics.instruments.requests.refused.labels(source, refused.code).inc()
        raise


def _bounce(inbound: InboundMessage, bounced: Bounced, raw: bytes) -> Bounce:
    return Bounce(
        workspace=inbound.workspace,
        action=bounced.action,
        key=f"{inbound.source}:{inbound.event_key}",
        status=bounced.status,
        occurred_at=inbound.occurred_at,
        received_at=inbound.received_at,
        raw=raw,
    )


def _acknowledged(ticket_id: str | None, *, duplicate: bool) -> Response:
    body = json.dumps({"ticket_id": ticket_id, "duplicate": duplicate})
    return Response(body, status_code=202, media_type="application/json")
