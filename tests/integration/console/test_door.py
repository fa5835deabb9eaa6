"""Who gets in, who does not, and that looking uses nothing up."""

import re
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from fastapi.routing import APIRoute
from sqlalchemy import select, update
from starlette.routing import BaseRoute

import api.console
from db.repositories.operators import SESSIONS
from support_agents.domain.approval import Role
from tests.fixtures.console import Desk, checked
from tests.fixtures.installation import PASSWORD

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEMPLATES = Path(api.console.__file__).parent / "templates"
_POLL = re.compile(r'hx-get="([^"]+)" hx-trigger="every')
OPEN = {"/console/sign-in", "/console/enter", "/console/static/{name:path}"}


def console_routes(desk: Desk) -> dict[str, set[str]]:
    """Every path of the console with its methods."""
    found: dict[str, set[str]] = {}

    def collect(routes: list[BaseRoute]) -> None:
        for route in routes:
            if isinstance(route, APIRoute):
                path = route.path if route.path.startswith("/console") else f"/console{route.path}"
                found.setdefault(path, set()).update(route.methods or ())
            elif (inner := getattr(route, "original_router", None)) is not None:
                collect(inner.routes)

    (console,) = [
        route for route in desk.installation.app.routes
        if any(r.path == "/sign-in" for i in getattr(getattr(route, "original_router", None), "routes", ())
               for r in getattr(getattr(i, "original_router", None), "routes", ()))
    ]  # fmt: skip
    collect([console])
    return found


def filled(path: str) -> str:
    for name in ("request_id", "execution_id", "ticket_id"):
        path = path.replace(f"{{{name}}}", "01900000-0000-7000-8000-000000000001")
    return path


async def test_a_stranger_is_sent_to_the_form_from_everywhere(desk: Desk) -> None:
    stranger = await desk.browser(None)
    routes = console_routes(desk)
    assert len(routes) > 10
    for path, methods in routes.items():
        if path in OPEN:
            continue
        for method in methods - {"HEAD"}:
            answer = await stranger.client.request(
                method, filled(path), data={"csrf": "x"} if method == "POST" else None
            )
            assert answer.status_code == 303, (method, path)
            assert answer.headers["location"].startswith("/console/sign-in"), path


async def test_no_form_works_without_its_token(desk: Desk) -> None:
    signed_in = await desk.browser(Role.ADMIN)
    posts = [path for path, methods in console_routes(desk).items() if "POST" in methods]
    assert len(posts) > 8
    for path in posts:
        for fields in ({}, {"csrf": ""}, {"csrf": "é\ud800".encode("utf-8", "replace").decode()}, {"csrf": "wrong"}):
            answer = await signed_in.client.post(filled(path), data=fields)
            assert answer.status_code in {403, 422}, path
    other = await (await desk.browser(Role.VIEWER)).csrf("/console")
    assert (await signed_in.client.post("/console/dispatch", data={"csrf": other, "to": "off"})).status_code == 403


async def test_a_bearer_token_opens_no_page(desk: Desk) -> None:
    stranger = await desk.browser(None)
    token = desk.installation.container.key.local_token
    answer = await stranger.get("/console", Authorization=f"Bearer {token}")
    assert answer.status_code == 303


async def test_a_poll_of_a_signed_out_tab_moves_the_whole_page(desk: Desk) -> None:
    answer = await (await desk.browser(None)).get("/console/queue/lists", **{"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/console/sign-in")


async def test_an_address_without_a_page_says_so_in_a_page(desk: Desk) -> None:
    browser = await desk.browser(Role.APPROVER)
    for path in (
        "/console/nowhere",
        "/console/requests/xyz",
        "/console/requests/01900000-0000-7000-8000-000000000001/approve",
    ):
        answer = await browser.get(path)
        assert answer.status_code == 404
        assert "There is no such page." in answer.text
        assert answer.headers["content-type"].startswith("text/html")
    for path in ("/console/", "/console/tickets/"):
        assert (await browser.get(path)).headers["location"] == path.rstrip("/")


async def test_signing_in_and_out(desk: Desk) -> None:
    browser = await desk.browser(Role.APPROVER)
    assert (await browser.get("/console")).status_code == 200
    answer = await browser.post("/console/sign-out", on="/console")
    assert answer.headers["location"] == "/console/sign-in"
    assert (await browser.get("/console")).status_code == 303


async def test_a_wrong_password_says_so_and_keeps_the_address(desk: Desk) -> None:
    browser = await desk.browser(None)
    answer = await browser.post("/console/sign-in", on="/console/sign-in", email='a"b@shop.example', password="no")
    assert answer.status_code == 401
    page = checked(answer.text)
    assert "do not fit together" in answer.text
    assert ("input", 'a"b@shop.example') in [(tag, given.get("value")) for tag, given in page.tags]
    assert "support_session" not in str(answer.headers)


async def test_too_many_wrong_passwords_lock(desk: Desk) -> None:
    browser = await desk.browser(None)
    email = await desk.installation.add_operator(Role.MANAGER)
    statuses = [
        (await browser.post("/console/sign-in", on="/console/sign-in", email=email, password="no")).status_code
        for _ in range(7)
    ]
    assert statuses[0] == 401
    answer = await browser.post("/console/sign-in", on="/console/sign-in", email=email, password=PASSWORD)
    assert answer.status_code == 429
    assert "try again in" in checked_text(answer)


def checked_text(answer: httpx.Response) -> str:
    checked(answer.text)
    return answer.text


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example", "//evil.example", "/consolex", "/console/..\\\\evil", "/v1/session", "/console/\r\nX: y"],
)
async def test_signing_in_leads_to_no_other_site(desk: Desk, wanted: str) -> None:
    browser = await desk.browser(None)
    email = await desk.installation.add_operator(Role.ADMIN)
    answer = await browser.post("/console/sign-in", on="/console/sign-in", email=email, password=PASSWORD, next=wanted)
    assert answer.headers["location"] == "/console"


async def test_a_one_time_link_is_used_by_the_button_and_only_once(desk: Desk) -> None:
    await desk.installation.add_operator(Role.ADMIN)
    token = await desk.installation.container.auth.make_link(desk.installation.operators[Role.ADMIN])
    here = f"/console/enter?token={token}"
    browser = await desk.browser(None)
    for _ in range(3):
        assert (await browser.get(here)).status_code == 200
    answer = await browser.post("/console/enter", on=here, token=token)
    assert answer.headers["location"] == "/console"
    assert (await browser.get("/console")).status_code == 200
    again = await desk.browser(None)
    answer = await again.post("/console/enter", on=here, token=token)
    assert answer.status_code == 401
    assert "was used already" in answer.text


async def test_pages_and_files_carry_the_strict_policy(desk: Desk) -> None:
    browser = await desk.browser(Role.VIEWER)
    page = await browser.get("/console")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["cache-control"] == "no-store"
    addresses = [
        given.get("src") or given.get("href") for tag, given in checked(page.text).tags if tag in {"script", "link"}
    ]
    assert len(addresses) == 6
    for address in addresses:
        answer = await browser.get(str(address))
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert (await browser.get(str(address), **{"If-None-Match": answer.headers["etag"]})).status_code == 304


@pytest.mark.parametrize(
    "name", ["../routes.py", "%2e%2e/routes.py", "nothing.css", "vendor", "vendor/htmx-LICENSE.txt"]
)
async def test_no_other_file_is_served(desk: Desk, name: str) -> None:
    answer = await (await desk.browser(None)).client.get(f"/console/static/{name}")
    assert answer.status_code in {303, 404}
    assert "APIRouter" not in answer.text


def polls() -> set[str]:
    """What open pages ask for by themselves, as the templates say."""
    return {path for file in TEMPLATES.rglob("*.html") for path in _POLL.findall(file.read_text(encoding="utf-8"))}


async def idle_until(desk: Desk) -> set[object]:
    async with desk.installation.container.database.read() as uow:
        return set((await uow.session.execute(select(SESSIONS.c.idle_until))).scalars())


async def test_an_open_page_that_asks_by_itself_does_not_keep_the_session_alive(desk: Desk) -> None:
    person, request = await desk.browser(Role.APPROVER), await desk.reply()
    async with desk.installation.container.database.write("test") as uow:
        now = await uow.now()
        past = {"seen_at": now - timedelta(hours=1), "rotated_at": now - timedelta(hours=1)}
        await uow.session.execute(update(SESSIONS).values(past | {"idle_until": now + timedelta(hours=1)}))
    before = await idle_until(desk)

    found = polls()
    assert len(found) >= 3
    for path in found:
        known = re.sub(r"{{ \w+\.request_id }}", str(request), path).replace("{{ decided.place }}", "queue")
        address = re.sub(r"{%.*%}", "", known)
        answer = await person.client.get(address)
        assert (answer.status_code, "set-cookie" in answer.headers) == (200, False), address
    assert await idle_until(desk) == before

    assert (await person.client.get("/console")).status_code == 200
    assert await idle_until(desk) != before


async def test_an_idle_session_ends_though_its_page_is_open(desk: Desk) -> None:
    person = await desk.browser(Role.APPROVER)
    async with desk.installation.container.database.write("test") as uow:
        await uow.session.execute(update(SESSIONS).values(idle_until=await uow.now()))
    answer = await person.client.get("/console/queue/lists", headers={"hx-request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/console/sign-in")
