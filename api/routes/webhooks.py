"""Where helpdesks deliver events: verify, store, answer 202; it thinks about nothing and calls nobody."""

import json
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from api.deps import ContainerDep
from api.edge import RECEIVED_AT
from api.errors import documented
from api.intake.protocol import Unparseable
from api.schemas import Acknowledged
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE

router = APIRouter(tags=["webhooks"])


@router.post(
    "/webhooks/{source}",
    status_code=202,
    response_class=Response,
    responses={
        202: {"description": "Stored; a duplicate is acknowledged like its original", "model": Acknowledged},
        **documented("bad_signature", "stale_signature", "unknown_source", "too_large", "database_unavailable"),
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
    inbound = intake.parse(raw, received_at)
    if isinstance(inbound, Unparseable):
        await container.ticket_store.bury(
            workspace=DEFAULT_WORKSPACE, source=source, raw=raw, reason=inbound.reason, received_at=received_at
        )
        return _acknowledged(None, duplicate=False)
    received = await container.ticket_store.receive(inbound, raw)
    return _acknowledged(str(received.ticket_id), duplicate=received.duplicate)


def _acknowledged(ticket_id: str | None, *, duplicate: bool) -> Response:
    body = json.dumps({"ticket_id": ticket_id, "duplicate": duplicate})
    return Response(body, status_code=202, media_type="application/json")
