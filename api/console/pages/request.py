"""One approval request: reading it, deciding on exactly these bytes, undoing, settling what is in doubt."""

from dataclasses import replace
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form
from starlette.responses import Response

from api import logging
from api.auth import Interactive
from api.console.pages.decided import Done, just_decided, onward
from api.console.pages.grounds import request_page
from api.console.routing import HOME, ConsoleRoute, PosterDep, see_other, shell_of, status_of
from api.console.templating import page
from api.console.views.decided import Place
from api.container import Container
from api.deciding import PageAnswer
from api.deps import ContainerDep, InteractiveDep, WatcherDep
from approvals.authority import require_role
from support_agents.domain.approval import DecisionVerdict, ExecutionStatus, Role
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import ExecutionId, RequestId

router = APIRouter(route_class=ConsoleRoute)

Digest = Annotated[str, Form(max_length=64)]
Stamp = Annotated[str, Form(max_length=100, description="when the page was shown, as it says itself")]
Code = Annotated[str, Form(max_length=40)]
Note = Annotated[str, Form(max_length=1000)]
About = Annotated[UUID, Form(description="the request whose page the form stands on")]


@router.get("/requests/{request_id}")
async def show(request_id: UUID, interactive: InteractiveDep, container: ContainerDep, done: Done = "") -> Response:
    """Show a request, below what this person decided just before, if they come from there."""
    return await _page(RequestId(request_id), interactive, container, done=done)


@router.get("/requests/{request_id}/state")
async def state(request_id: UUID, watcher: WatcherDep, container: ContainerDep) -> Response:
    """Show only where it stands, for a page that is open."""
    shown = await request_page(RequestId(request_id), watcher, container)
    return page("parts/state.html", shell_of(watcher, shown.workspace), {"view": shown.view})


@router.post("/requests/{request_id}/approve")
async def approve(  # noqa: PLR0913, PLR0917 - what the form says, and who says it
    request_id: UUID,
    poster: PosterDep,
    container: ContainerDep,
    digest: Digest = "",
    shown: Stamp = "",
    code: Code = "",
) -> Response:
    """Approve exactly the bytes that were shown, having proved the second factor where a code came along."""
    if code.strip():
        try:
            await container.factors.prove(poster.person, code)
        except SupportError as error:
            # Where it was proved just now no code is asked for: the same form, sent twice, has used it up.
            if not (await container.factors.standing(poster.person)).fresh:
                return await _page(RequestId(request_id), poster, container, error)
    return await _decide(RequestId(request_id), PageAnswer(digest, DecisionVerdict.APPROVE, shown), poster, container)


@router.post("/requests/{request_id}/reject")
async def reject(  # noqa: PLR0913, PLR0917 - what the form says, and who says it
    request_id: UUID,
    poster: PosterDep,
    container: ContainerDep,
    digest: Digest = "",
    shown: Stamp = "",
    reason: Note = "",
) -> Response:
    """Reject with a reason; the ticket goes back to people."""
    why = reason.strip()
    if not why:
        missing = SupportError("invalid", "Say why: whoever takes the ticket next needs it.")
        return await _page(RequestId(request_id), poster, container, missing)
    answer = PageAnswer(digest, DecisionVerdict.REJECT, shown, why)
    return await _decide(RequestId(request_id), answer, poster, container)


@router.post("/requests/{request_id}/fuller")
async def take_fuller(request_id: UUID, poster: PosterDep, container: ContainerDep, digest: Digest = "") -> Response:
    """Put the draft that was written whole in the short one's place, and show it: it is decided on its own."""
    try:
        made = await container.fuller.take(poster.person, RequestId(request_id), digest=digest or "none")
    except SupportError as error:
        return await _page(RequestId(request_id), poster, container, error)
    return see_other(f"{HOME}/requests/{made}")


@router.post("/executions/{execution_id}/undo")
async def undo(
    execution_id: UUID,
    poster: PosterDep,
    container: ContainerDep,
    request: About,
    on: Annotated[Place | None, Form(description="the page to come back to; none: the request's own")] = None,
) -> Response:
    """Take an approved action back while its window is open."""
    person = poster.person
    try:
        require_role(person.role, Role.APPROVER)
        await container.executions.cancel(
            ExecutionId(execution_id), workspace=person.workspace, actor=str(person.operator_id)
        )
    except SupportError as error:
        return await _page(RequestId(request), poster, container, error)
    return see_other(onward(request, on))


@router.post("/executions/{execution_id}/settle")
async def settle(  # noqa: PLR0913, PLR0917 - what the form says, and who says it
    execution_id: UUID,
    poster: PosterDep,
    container: ContainerDep,
    request: About,
    status: Annotated[Literal["succeeded", "failed"], Form()],
    note: Note = "",
) -> Response:
    """Let a person who has looked say what became of an action in doubt."""
    settled = ExecutionStatus(status)
    try:
        await container.executions.resolve(ExecutionId(execution_id), person=poster.person, status=settled, note=note)
    except SupportError as error:
        return await _page(RequestId(request), poster, container, error)
    return see_other(f"{HOME}/requests/{request}")


async def _decide(request_id: RequestId, answer: PageAnswer, poster: Interactive, container: Container) -> Response:
    """Store it and go on to what this person may decide next; what is refused is shown on the request's own page."""
    try:
        await container.deciding.decide(poster.person, request_id, answer)
    except SupportError as error:
        return await _page(request_id, poster, container, error, reason=answer.reason)
    return see_other(onward(request_id, await _next(request_id, poster, container) or "queue"))


async def _next(decided: RequestId, poster: Interactive, container: Container) -> RequestId | None:
    """What comes next; where that cannot be told, nothing: what was decided is stored all the same."""
    try:
        return await container.deciding.go_on(poster.person, decided)
    except SupportError as error:
        logging.get().warning("next_not_found", code=error.code)
        return None


async def _page(  # noqa: PLR0913 - what was refused, typed, or done before
    request_id: RequestId,
    interactive: Interactive,
    container: Container,
    error: SupportError | None = None,
    *,
    reason: str = "",
    done: str = "",
) -> Response:
    """The page as things stand now, with what was refused, and the typed reason kept."""
    shown = await request_page(request_id, interactive, container)
    view, status = shown.view, 200
    if error is not None:
        status, title = status_of(error)
        problem = error.message[:1].upper() + error.message[1:] if status != 500 else title  # noqa: PLR2004 - ours to keep
        view = replace(view, state=replace(view.state, problem=problem, reason=reason))
    decided = await just_decided(done, request_id, interactive, container)
    values = {"view": view, "decided": decided}
    return page("request.html", shell_of(interactive, shown.workspace, "queue"), values, status=status)
