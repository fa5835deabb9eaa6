"""A person's own second factor: setting it up, its recovery codes, taking it away; nobody else's is touched here."""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import Response

from api.auth import Interactive
from api.console.routing import HOME, ConsoleRoute, PosterDep, see_other, shell_of, status_of
from api.console.templating import page
from api.container import Container
from api.deps import ContainerDep, InteractiveDep
from api.factors import Enrolment
from support_agents.domain.errors import SupportError

router = APIRouter(route_class=ConsoleRoute)

Code = Annotated[str, Form(max_length=40)]
_LONGEST_SECRET = 1024


@router.get("/factor")
async def show(interactive: InteractiveDep, container: ContainerDep) -> Response:
    """Show how things stand."""
    return await _page(interactive, container)


@router.post("/factor/begin")
async def begin(
    poster: PosterDep, container: ContainerDep, password: Annotated[str, Form(max_length=_LONGEST_SECRET)] = ""
) -> Response:
    """Make a secret and show it, once."""
    try:
        enrolment = await container.factors.begin(poster.person, password=password)
    except SupportError as error:
        return await _page(poster, container, error)
    return await _page(poster, container, enrolment=enrolment)


@router.post("/factor/confirm")
async def confirm(poster: PosterDep, container: ContainerDep, code: Code = "") -> Response:
    """Let the factor count, and show the recovery codes, once."""
    try:
        codes = await container.factors.confirm(poster.person, code)
    except SupportError as error:
        begun = await container.factors.begun(poster.person) if error.code == "factor_wrong" else None
        return await _page(poster, container, error, enrolment=begun)
    return await _page(poster, container, codes=codes)


@router.post("/factor/prove")
async def prove(poster: PosterDep, container: ContainerDep, code: Code = "") -> Response:
    """Prove it ahead of what will ask for it."""
    try:
        await container.factors.prove(poster.person, code)
    except SupportError as error:
        return await _page(poster, container, error)
    return see_other(f"{HOME}/factor")


@router.post("/factor/remove")
async def remove(poster: PosterDep, container: ContainerDep) -> Response:
    """Take one's own factor away."""
    try:
        await container.factors.remove(poster.person)
    except SupportError as error:
        return await _page(poster, container, error)
    return see_other(f"{HOME}/factor")


async def _page(
    interactive: Interactive,
    container: Container,
    error: SupportError | None = None,
    *,
    enrolment: Enrolment | None = None,
    codes: tuple[str, ...] = (),
) -> Response:
    standing = await container.factors.standing(interactive.person)
    async with container.database.read() as uow:
        workspace = await uow.workspaces.get(interactive.person.workspace)
    status, problem = 200, ""
    if error is not None:
        status, title = status_of(error)
        problem = error.message if status != 500 else title  # noqa: PLR2004 - ours to keep
    values = {"standing": standing, "enrolment": enrolment, "codes": codes, "problem": problem}
    return page("factor.html", shell_of(interactive, workspace), values, status=status)
