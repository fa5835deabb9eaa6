"""The console under `/console`: its pages and its static files, all in one router; it holds no page itself."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.console import assets
from api.console.pages import (
    activity,
    approvers,
    decided,
    edit,
    factor,
    people,
    quarantine,
    queue,
    request,
    sign_in,
    slack,
    ticket,
)
from api.console.routing import HOME, ConsoleRoute, see_other
from api.deps import watcher_of
from support_agents.domain.errors import SupportError

router = APIRouter(include_in_schema=False)
_static = APIRouter(route_class=ConsoleRoute)
_nowhere = APIRouter(route_class=ConsoleRoute)
_FOR_EVER = "public, max-age=31536000, immutable"


@_static.get("/static/{name:path}")
async def static(name: str, request: Request, v: str = "") -> Response:
    """Serve a file of the table."""
    asset = assets.table().get(name)
    if asset is None:
        raise SupportError("not_found", "There is no such file.")
    tag = f'"{asset.tag}"'
    headers = {"Cache-Control": _FOR_EVER if v == asset.tag else "no-cache", "ETag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(asset.content, media_type=asset.media_type, headers=headers)


@_nowhere.get("/{path:path}", dependencies=[Depends(watcher_of)])
async def nowhere(path: str) -> Response:
    """Say in words that an address leads to no page, a form's own is none either; one with a slash too many goes on."""
    if not path or path.endswith("/"):
        return see_other(f"{HOME}/{path}".rstrip("/"))
    raise SupportError("not_found", "There is no such page.")


_PAGES = (sign_in, queue, request, decided, edit, ticket, activity, approvers, quarantine, factor, people, slack)
for _routes in (_static, *(_page.router for _page in _PAGES), _nowhere):
    router.include_router(_routes, prefix=HOME)
