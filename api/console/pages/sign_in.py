"""Signing in by password or one-time link, and out; a page that is only looked at uses nothing up."""

import secrets
from typing import Annotated

import re2
from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import Response

from api.console.routing import HOME, ConsoleRoute, PosterDep, see_other
from api.console.templating import CSRF_FIELD, Shell, page
from api.container import Container
from api.deps import ContainerDep, peer_of, session_cookie
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE

router = APIRouter(route_class=ConsoleRoute)

_DOOR = "support_door"
_VALUE_BYTES = 24
_VALUE = re2.compile(r"[A-Za-z0-9_-]{32}")  # as we make it: a quoted cookie could hold a line break
_LONGEST_SECRET = 1024
_PURPOSE = "console door"


def _door_cookie(container: Container, value: str) -> str:
    secure = "; Secure" if container.settings.url.startswith("https://") else ""
    return f"{_DOOR}={value}; Path=/console; HttpOnly; SameSite=Strict{secure}"


def _door_token(container: Container, value: str) -> str:
    """What the form must carry for this browser: nobody else's page can know or make it."""
    return container.key.keyed(_PURPOSE, value.encode())


async def _at_the_door(
    request: Request, container: ContainerDep, csrf: Annotated[str, Form(alias=CSRF_FIELD)] = ""
) -> None:
    """Refuse a form that was not ours, before there is a session to bind it to."""
    value = request.cookies.get(_DOOR, "")
    given = csrf.encode("utf-8", "replace")
    keys = (container.key, *container.key.elders)  # a form that was open while the key was changed still counts
    expected = [each.keyed(_PURPOSE, value.encode()).encode() for each in keys]
    if not value or not any(secrets.compare_digest(given, each) for each in expected):
        raise SupportError("csrf", "The form was too old or not ours. Go back, load the page again and try once more.")


def _door_page(
    request: Request, container: Container, template: str, values: dict[str, object], *, status: int = 200
) -> Response:
    given = request.cookies.get(_DOOR, "")
    value = given if _VALUE.fullmatch(given) else secrets.token_urlsafe(_VALUE_BYTES)
    answer = page(template, Shell(csrf=_door_token(container, value)), values, status=status)
    answer.headers.append("Set-Cookie", _door_cookie(container, value))
    return answer


@router.get("/sign-in")
async def form(request: Request, container: ContainerDep, next: str = HOME) -> Response:  # noqa: A002 - the query's name
    """Show the form."""
    return _door_page(request, container, "sign_in.html", {"problem": "", "email": "", "next": _ours(next)})


@router.post("/sign-in", dependencies=[Depends(_at_the_door)])
async def sign_in(
    request: Request,
    container: ContainerDep,
    email: Annotated[str, Form(max_length=320)] = "",
    password: Annotated[str, Form(max_length=_LONGEST_SECRET)] = "",
    next: Annotated[str, Form()] = HOME,  # noqa: A002 - the field's name
) -> Response:
    """Open a session, or show the form again with what was wrong."""
    try:
        signed_in = await container.auth.sign_in(
            DEFAULT_WORKSPACE, email=email, password=password, peer=peer_of(request)
        )
    except SupportError as error:
        statuses = {"bad_credentials": 401, "locked_out": 429, "busy": 503}
        if error.code not in statuses:
            raise
        values: dict[str, object] = {"problem": error.message, "email": email, "next": _ours(next)}
        return _door_page(request, container, "sign_in.html", values, status=statuses[error.code])
    return _with_session(container, signed_in.token, _ours(next))


@router.get("/enter")
async def link(request: Request, container: ContainerDep, token: str = "") -> Response:
    """Show the button that uses the link up; a preview of the page does not."""
    return _door_page(request, container, "enter.html", {"token": token[:_LONGEST_SECRET], "problem": ""})


@router.post("/enter", dependencies=[Depends(_at_the_door)])
async def enter(
    request: Request, container: ContainerDep, token: Annotated[str, Form(max_length=_LONGEST_SECRET)] = ""
) -> Response:
    """Use up a one-time link."""
    try:
        signed_in = await container.auth.sign_in_by_link(token, peer=peer_of(request))
    except SupportError as error:
        if error.code != "bad_credentials":
            raise
        values: dict[str, object] = {"token": "", "problem": error.message}
        return _door_page(request, container, "enter.html", values, status=401)
    return _with_session(container, signed_in.token, HOME)


@router.post("/sign-out")
async def sign_out(poster: PosterDep, container: ContainerDep) -> Response:
    """End the session."""
    await container.auth.sign_out(poster.person)
    answer = see_other(f"{HOME}/sign-in")
    answer.headers.append("Set-Cookie", session_cookie(container, ""))
    answer.headers["Clear-Site-Data"] = '"storage"'
    return answer


def _with_session(container: Container, token: str, path: str) -> Response:
    answer = see_other(path)
    answer.headers.append("Set-Cookie", session_cookie(container, token))
    return answer


def _ours(path: str) -> str:
    """A page of the console, or its first page: never another site's address."""
    ours = path == HOME or path.startswith((f"{HOME}/", f"{HOME}?"))
    return path if ours and "\\" not in path and path.isascii() and path.isprintable() else HOME
