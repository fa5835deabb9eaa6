"""What routes ask for: the container, and a caller of the right kind; a route that asks for neither is public."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial
from math import ceil
from typing import Annotated

from fastapi import Depends, Header, Query, Request

from api.auth import Bearer, Caller, Interactive, Scope, require_csrf
from api.container import Container
from api.edge import SET_COOKIE
from approvals.ports import Person, Surface
from db import fences
from db.read_models.pages import LARGEST_PAGE
from db.uow import UnitOfWork
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import WorkspaceId

# A cookie of whoever wrote moments ago; who makes it up reads fresher figures, and nothing else.
WROTE = "support_wrote"
Shown = Callable[[], AbstractAsyncContextManager[UnitOfWork]]
CSRF_HEADER = "X-CSRF-Token"
SCHEME = "bearer"


def cookie_name(container: Container) -> str:
    """The session cookie; the prefix makes browsers insist on Secure and on our own host."""
    return "__Host-support_session" if container.settings.url.startswith("https://") else "support_session"


def session_cookie(container: Container, token: str) -> str:
    """Return the Set-Cookie value for a session; an empty token ends it."""
    secure = "; Secure" if container.settings.url.startswith("https://") else ""
    life = int(container.settings.session_hours * 3600) if token else 0
    return f"{cookie_name(container)}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={life}{secure}"


def wrote_cookie(container: Container) -> str:
    """Return the Set-Cookie value for who has just written; nothing where all reading is from where they wrote."""
    if container.reading.replica is None:
        return ""
    secure = "; Secure" if container.settings.url.startswith("https://") else ""
    life = ceil(container.reading.longest_behind) + 1
    return f"{WROTE}=1; Path=/; HttpOnly; SameSite=Lax; Max-Age={life}{secure}"


def peer_of(request: Request) -> str:
    """The address at the other end of the connection."""
    return request.client.host if request.client else ""


async def container_of(request: Request) -> Container:
    """Return the process's container; async, since a plain function would cost a thread's trip per request."""
    container: Container = request.app.state.container
    return container


ContainerDep = Annotated[Container, Depends(container_of)]


async def caller_of(request: Request, container: ContainerDep) -> Caller:
    """Recognise who asks; a bearer token counts before a cookie. Raise `unauthenticated` when nobody does."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    caller: Caller | None = None
    if scheme.lower() == SCHEME:
        caller = await container.auth.bearer(token.strip(), peer=peer_of(request))
    elif cookie := request.cookies.get(cookie_name(container)):
        caller = await container.auth.session(cookie)
    if caller is None:
        raise SupportError("unauthenticated", "Sign in, or send a bearer token that is still valid.")
    fences.enter(workspace_of(caller))
    if isinstance(caller, Interactive) and caller.replacement:
        request.scope[SET_COOKIE] = session_cookie(container, caller.replacement)
    return caller


async def reader_of(caller: Annotated[Caller, Depends(caller_of)]) -> Caller:
    """Anyone signed in, or a token with the scope `read`."""
    if isinstance(caller, Bearer) and Scope.READ not in caller.scopes:
        raise SupportError("not_allowed", "This token may not read.")
    return caller


async def interactive_of(caller: Annotated[Caller, Depends(caller_of)]) -> Interactive:
    """A person at a browser; a token never is one."""
    if not isinstance(caller, Interactive):
        raise SupportError("person_needed", "Tokens read and cancel; deciding and editing need a person's session.")
    return caller


async def watcher_of(request: Request, container: ContainerDep) -> Interactive:
    """A person whose open page asks again by itself; recognised, but not counted as using the session."""
    cookie = request.cookies.get(cookie_name(container))
    watcher = await container.auth.glance(cookie) if cookie else None
    if watcher is None:
        raise SupportError("unauthenticated", "Sign in; the session of this page has ended.")
    fences.enter(workspace_of(watcher))
    return watcher


async def person_of(
    interactive: Annotated[Interactive, Depends(interactive_of)],
    csrf: Annotated[str | None, Header(alias=CSRF_HEADER)] = None,
) -> Person:
    """A person whose request proves that it came from our own page."""
    return replace(require_csrf(interactive, csrf), surface=Surface.REST)


async def canceller_of(
    caller: Annotated[Caller, Depends(caller_of)], csrf: Annotated[str | None, Header(alias=CSRF_HEADER)] = None
) -> Caller:
    """A person, or a token with the scope `cancel`: stopping something is never the dangerous direction."""
    if isinstance(caller, Interactive):
        require_csrf(caller, csrf)
    elif Scope.CANCEL not in caller.scopes:
        raise SupportError("not_allowed", "This token may not cancel.")
    return caller


async def shown_of(request: Request, container: ContainerDep) -> Shown:
    """Views for what a page shows; who has just written is shown it, whichever process they ask."""
    return partial(container.reading.read, wrote=WROTE in request.cookies)


LimitDep = Annotated[int, Query(ge=1, le=LARGEST_PAGE)]
CursorDep = Annotated[str | None, Query(max_length=200, description="`next` of the page before")]
ReaderDep = Annotated[Caller, Depends(reader_of)]
InteractiveDep = Annotated[Interactive, Depends(interactive_of)]
WatcherDep = Annotated[Interactive, Depends(watcher_of)]
PersonDep = Annotated[Person, Depends(person_of)]
# Figures and lists, perhaps a moment old: never what a session, a stop or a decision rests on.
ShownDep = Annotated[Shown, Depends(shown_of)]
CancellerDep = Annotated[Caller, Depends(canceller_of)]


def workspace_of(caller: Caller) -> WorkspaceId:
    """The caller's workspace."""
    return caller.person.workspace if isinstance(caller, Interactive) else caller.workspace
