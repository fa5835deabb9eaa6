"""Renders the console's pages; every printed value is escaped and made visible unless it is markup of our own."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from api.console import visible
from api.console.assets import address
from approvals import wording
from approvals.ports import Person
from approvals.visible import plain
from db.repositories.workspaces import Workspace
from support_agents.domain.approval import Role

CSRF_FIELD = "csrf"

_NO_STORE = {"Cache-Control": "no-store"}


@dataclass(frozen=True)
class Shell:
    """What surrounds a page: who is signed in, their anti-forgery token, the workspace for its banners."""

    person: Person | None = None
    csrf: str = ""
    workspace: Workspace | None = None
    active: str = ""

    @property
    def may_manage(self) -> bool:
        """Whether to offer the managers' page; the page checks it again."""
        return self.person is not None and self.person.role in {Role.MANAGER, Role.ADMIN}

    @property
    def may_adopt(self) -> bool:
        """Whether to offer the end of quarantine; the use case checks it again."""
        return self.person is not None and self.person.role is Role.ADMIN


def page(name: str, shell: Shell, values: Mapping[str, object], *, status: int = 200) -> HTMLResponse:
    """Render a template that may know `values`, `shell` and the hidden field `csrf()`."""
    body = environment().get_template(name).render({**values, "shell": shell, "csrf": lambda: _field(shell.csrf)})
    # A stored NUL becomes U+FFFD long before; a lone surrogate is shown as its number, so this always encodes.
    return HTMLResponse(body, status_code=status, headers=_NO_STORE)


@cache
def environment() -> Environment:
    """The one environment: autoescape on, undefined names are errors."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {
        "ago": wording.ago,
        "clock": wording.clock,
        "excerpt": visible.excerpt,
        "marked": visible.marked,
        "verbatim": _verbatim,
        "words": wording.words,
    }
    made.globals["asset"] = address
    return made


def _finalize(value: object) -> object:
    """Whatever is printed: unseen characters become visible, so that no template can forget it."""
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _verbatim(text: str) -> Markup:
    """Text for a form field, which must come back unchanged; a lone surrogate could not."""
    return escape(text.encode("utf-8", "replace").decode())


def _field(token: str) -> Markup:
    return Markup('<input type="hidden" name="{}" value="{}">').format(CSRF_FIELD, token)
