"""Where payment providers tell what became of refunds: verify, store and fold, answer 202; it calls nobody back."""

import json

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.container import Container
from api.deps import ContainerDep
from api.edge import RECEIVED_AT
from api.errors import documented
from api.intake.protocol import Unparseable
from api.routes.webhooks import REFUSALS, admitted
from api.schemas import Recorded
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE

router = APIRouter(tags=["webhooks"])
_ANSWERS = {
    202: {"description": "Stored; a duplicate is acknowledged like its original", "model": Recorded},
    **documented(*REFUSALS),
}
_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}


@router.post("/webhooks/stripe", status_code=202, response_class=Response, responses=_ANSWERS, openapi_extra=_BODY)
async def stripe(request: Request, container: ContainerDep) -> Response:
    """Take one event of Stripe's, signed with the endpoint's secret. A 202 means that it is on disk and folded."""
    return await _receive("stripe", request, container)


@router.post("/webhooks/paypal", status_code=202, response_class=Response, responses=_ANSWERS, openapi_extra=_BODY)
async def paypal(request: Request, container: ContainerDep) -> Response:
    """Take one event of PayPal's, which PayPal itself verifies. A 202 means that it is on disk and folded."""
    return await _receive("paypal", request, container)


async def _receive(source: str, request: Request, container: Container) -> Response:
    intake = container.provider_intakes.get(source)
    if intake is None:
        raise SupportError("unknown_source", "No such source, or no secret is set for it.")
    received_at = request.scope[RECEIVED_AT]
    raw = await request.body()
    await intake.verify(raw, request.headers, received_at)
    await admitted(source, request, container)
    event = intake.parse(raw, received_at)
    if isinstance(event, Unparseable):
        await container.ticket_store.bury(
            workspace=DEFAULT_WORKSPACE, source=source, raw=raw, reason=event.reason, received_at=received_at
        )
        return _recorded(duplicate=False)
    return _recorded(duplicate=not await container.provider_events.take(event))


def _recorded(*, duplicate: bool) -> Response:
    return Response(json.dumps({"duplicate": duplicate}), status_code=202, media_type="application/json")
