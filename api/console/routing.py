"""Routes whose errors are pages: sends strangers to the sign-in form and says in words what was refused."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Form
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api import logging
from api.auth import Interactive, require_csrf
from api.console.templating import CSRF_FIELD, Shell, page
from api.container import Container
from api.deps import InteractiveDep, container_of, wrote_cookie
from api.edge import WROTE_COOKIE
from api.errors import PROBLEMS
from db.repositories.workspaces import Workspace
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import WorkspaceId

HOME = "/console"
SIGN_IN = f"{HOME}/sign-in"


class ConsoleRoute(APIRoute):
    """Answers every refusal with a page; what nobody foresaw is left to the edge."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the framework's handler."""
        handler = super().get_route_handler()

        async def with_pages(request: Request) -> Response:
            try:
                return await _noting(request, handler)
            except SupportError as error:
                return refused(request, error)
            except RequestValidationError as error:
                if all(each["loc"][:1] == ("path",) for each in error.errors()):
                    return refused(request, SupportError("not_found", "There is no such page."))
                return refused(request, SupportError("invalid", "The form was incomplete or its values do not fit."))
            except HTTPException as error:
                if error.status_code == 413:  # noqa: PLR2004 - the edge's limit on bodies
                    return refused(request, SupportError("too_large", str(error.detail)))
                raise

        return with_pages


async def _noting(request: Request, handler: Callable[[Request], Coroutine[Any, Any, Response]]) -> Response:
    """Answer, and have whoever has written something read it from where it was written."""
    response = await handler(request)
    if request.method != "GET":
        request.scope[WROTE_COOKIE] = wrote_cookie(await container_of(request))
    return response


def refused(request: Request, error: SupportError) -> Response:
    """Return the page for an error; whoever is not signed in goes to the form first."""
    if error.code in {"unauthenticated", "person_needed"}:
        return _to_sign_in(request)
    status, title = status_of(error)
    detail = error.message if error.code in PROBLEMS else "The log has the kind of error."
    values = {"title": title, "detail": detail, "back": HOME, "back_words": "To the queue"}
    return page("problem.html", Shell(), values, status=status)


def status_of(error: SupportError) -> tuple[int, str]:
    """The HTTP status and title of an error; a code that nobody foresaw is a fault of ours and is logged."""
    if error.code not in PROBLEMS:
        logging.get().error("request_failed", code=error.code)
    return PROBLEMS.get(error.code, (500, "Something went wrong here"))


def _to_sign_in(request: Request) -> Response:
    wanted = f"{request.url.path}?{request.url.query}".rstrip("?") if request.method == "GET" else HOME
    if "hx-request" in request.headers:
        # A poll in a forgotten tab: the whole page goes to the form, not the form into the page.
        return Response(status_code=401, headers={"HX-Redirect": SIGN_IN, "Cache-Control": "no-store"})
    query = f"?{urlencode({'next': wanted})}" if wanted != HOME else ""
    return RedirectResponse(f"{SIGN_IN}{query}", status_code=303, headers={"Cache-Control": "no-store"})


async def poster_of(interactive: InteractiveDep, csrf: Annotated[str, Form(alias=CSRF_FIELD)] = "") -> Interactive:
    """A person at a browser whose form carries the session's token."""
    require_csrf(interactive, csrf)
    return interactive


PosterDep = Annotated[Interactive, Depends(poster_of)]


def shell_of(interactive: Interactive, workspace: Workspace, active: str = "") -> Shell:
    """What surrounds a signed-in person's page."""
    return Shell(interactive.person, interactive.csrf, workspace, active)


async def workspace_now(container: Container, workspace: WorkspaceId) -> Workspace:
    """The workspace as it is, from the database itself: its mode, and whether dispatch is stopped."""
    async with container.database.read() as uow:
        return await uow.workspaces.get(workspace)


def see_other(path: str) -> Response:
    """After a form: read the result under its own address."""
    return RedirectResponse(path, status_code=303, headers={"Cache-Control": "no-store"})
