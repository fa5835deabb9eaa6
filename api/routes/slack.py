"""Where Slack delivers clicks, forms, commands and events: verify, take once, decide, acknowledge; then show."""

import json
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api import logging
from api.deps import ContainerDep
from api.edge import RECEIVED_AT
from api.errors import documented
from api.slack_door import SlackDoor
from approvals.adapters.slack.interactions import Reader
from approvals.adapters.slack.signature import SlackSignature
from approvals.interactions import Interaction, Told, Unreadable
from support_agents.domain.errors import SupportError

_MOST_FIELDS = 50

router = APIRouter(
    prefix="/slack",
    tags=["slack"],
    responses=documented("bad_signature", "stale_signature", "replayed", "unknown_source", "too_large", "bad_request"),
)


async def door_of(container: ContainerDep) -> SlackDoor:
    """The Slack app of this installation, if there is one."""
    if container.slack is None:
        raise SupportError("unknown_source", "Slack is not connected here.")
    return container.slack


DoorDep = Annotated[SlackDoor, Depends(door_of)]


@router.post("/interactivity", response_class=Response)
async def interactivity(request: Request, door: DoorDep) -> Response:
    """Take a click or a form. What it decides is committed before this is answered."""
    form = _form(await _verified(request, door))
    return await _answered(
        request, door, Reader(door.installation, door.earlier).interactivity(form.get("payload", ""))
    )


@router.post("/commands", response_class=Response)
async def commands(request: Request, door: DoorDep) -> Response:
    """Take a slash command; what it shows comes after the acknowledgement."""
    return await _answered(
        request, door, Reader(door.installation, door.earlier).command(_form(await _verified(request, door)))
    )


@router.post("/events", response_class=Response)
async def events(request: Request, door: DoorDep) -> Response:
    """Take an event, once, however often Slack delivers it."""
    raw = await _verified(request, door)
    told = Reader(door.installation, door.earlier).event(raw)
    event_id = Reader.event_id(raw)
    if event_id and not await door.deliveries.first_event(event_id):
        return Response()
    return await _answered(request, door, told)


async def _verified(request: Request, door: SlackDoor) -> bytes:
    """The raw body, signed now, and never taken before by any process of this installation."""
    request.state.came = time.monotonic()
    raw = await request.body()
    key = SlackSignature(door.secrets).verify(raw, request.headers, request.scope[RECEIVED_AT])
    if not await door.deliveries.first(key):
        raise SupportError("replayed", "This very delivery was taken already.")
    return raw


async def _answered(request: Request, door: SlackDoor, told: Told) -> Response:
    if isinstance(told, Unreadable):
        logging.get().warning("slack_unreadable", places=told.reason)
        raise SupportError("bad_request", f"This has no shape that we know: {told.reason}")
    answer = await door.clicks.take(told, waited=timedelta(seconds=time.monotonic() - request.state.came))
    kind = type(told).__name__.lower() if isinstance(told, Interaction) else "slack"
    door.afterwards.do(f"slack_{kind}", answer.later)
    if not answer.body:
        return Response()
    return Response(json.dumps(dict(answer.body)), media_type="application/json")


def _form(raw: bytes) -> Mapping[str, str]:
    """The fields of a form; the first of each name."""
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise SupportError("bad_request", "The form cannot be read.") from error
    return dict(reversed(pairs))
