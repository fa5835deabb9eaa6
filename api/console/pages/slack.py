"""Linking one's own Slack account: makes a one-use code, shows what is linked, ends it; nobody links for another."""

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from starlette.responses import Response

from api.auth import Interactive
from api.console.routing import HOME, ConsoleRoute, PosterDep, see_other, shell_of
from api.console.templating import page
from api.container import Container
from api.deps import ContainerDep, InteractiveDep
from approvals.linking import CODE_LIFE, Linking
from db.models.slack import LinkEnd

router = APIRouter(route_class=ConsoleRoute)


@dataclass(frozen=True)
class LinkLine:
    """An account that acts for the person."""

    team: str
    user: str
    at: datetime
    alive: bool


@dataclass(frozen=True)
class SlackView:
    """The page; `code` is shown once, right after it was made."""

    connected: bool
    links: tuple[LinkLine, ...]
    code: str
    minutes: int


@router.get("/account/slack")
async def show(interactive: InteractiveDep, container: ContainerDep) -> Response:
    """Show which accounts act for this person."""
    return await _page(interactive, container)


@router.post("/account/slack/code")
async def code(poster: PosterDep, container: ContainerDep) -> Response:
    """Make a code and show it, once."""
    made = await Linking(container.database).make_code(poster.person)
    return await _page(poster, container, made)


@router.post("/account/slack/unlink")
async def unlink(poster: PosterDep, container: ContainerDep) -> Response:
    """End every link of this person."""
    await Linking(container.database).end(poster.person, LinkEnd.UNLINKED)
    return see_other(f"{HOME}/account/slack")


async def _page(interactive: Interactive, container: Container, made: str = "") -> Response:
    links = await Linking(container.database).links_of(interactive.person)
    async with container.database.read() as uow:
        workspace = await uow.workspaces.get(interactive.person.workspace)
    view = SlackView(
        connected=container.slack is not None,
        links=tuple(LinkLine(each.account.team, each.account.user, each.linked_at, each.alive) for each in links),
        code=made,
        minutes=int(CODE_LIFE.total_seconds() // 60),
    )
    return page("slack.html", shell_of(interactive, workspace, "slack"), {"view": view})
