"""Editing a reply: the words are checked again and become a new request; whatever goes wrong, they are kept."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form
from starlette.responses import Response

from api.auth import Interactive
from api.console.pages.grounds import request_page
from api.console.routing import HOME, ConsoleRoute, PosterDep, see_other, shell_of, status_of
from api.console.templating import page
from api.container import Container
from api.deps import ContainerDep, InteractiveDep
from api.editing import LONGEST
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import RequestId

router = APIRouter(route_class=ConsoleRoute)


@router.get("/requests/{request_id}/edit")
async def form(request_id: UUID, interactive: InteractiveDep, container: ContainerDep) -> Response:
    """Show the exact text in a field."""
    return await _page(RequestId(request_id), interactive, container)


@router.post("/requests/{request_id}/edit")
async def save(
    request_id: UUID,
    poster: PosterDep,
    container: ContainerDep,
    digest: Annotated[str, Form(max_length=64)] = "",
    text: Annotated[str, Form()] = "",
) -> Response:
    """Check and replace, then show the new request with its own digest and checks."""
    # A browser sends line ends as CR LF; the reply's own are LF.
    words = text.replace("\r\n", "\n")
    try:
        _require_length(words)
        edited = await container.editing.edit(
            RequestId(request_id), text=words.strip(), digest=digest or "none", person=poster.person
        )
    except SupportError as error:
        return await _page(RequestId(request_id), poster, container, error, text=words)
    return see_other(f"{HOME}/requests/{edited.request_id}")


def _require_length(words: str) -> None:
    if not words.strip():
        raise SupportError("invalid", "The reply is empty.")
    if len(words) > LONGEST:
        raise SupportError("invalid", f"The reply is longer than {LONGEST} characters.")


async def _page(
    request_id: RequestId,
    interactive: Interactive,
    container: Container,
    error: SupportError | None = None,
    *,
    text: str | None = None,
) -> Response:
    shown = await request_page(request_id, interactive, container)
    view = shown.view
    if view.letter is None:
        raise SupportError("not_found", "Money and recipients cannot be edited.")
    status, problem = 200, ""
    problems: tuple[str, ...] = ()
    if error is not None:
        status, title = status_of(error)
        lead, _, rest = error.message.partition(": ") if error.code == "blocked" else (error.message, "", "")
        problem = lead[:1].upper() + lead[1:] if status != 500 else title  # noqa: PLR2004 - ours to keep
        problems = tuple(part for part in rest.split("; ") if part)
    values: dict[str, object] = {
        "view": view,
        "text": view.letter.text if text is None else text,
        "digest": view.digest,
        "problem": problem,
        "problems": problems,
        "newer": view.state.newer,
    }
    return page("edit.html", shell_of(interactive, shown.workspace, "queue"), values, status=status)
