"""No way round (I1): every route with every credential, and no execution but by the decision of an entitled person."""

import ast
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text, update
from starlette.routing import BaseRoute, Route

from api.auth import Scope
from approvals.lifecycle import EXECUTIONS, REQUESTS, ExecutionTrigger, RequestTrigger
from db.repositories.operators import SESSIONS
from support_agents.domain.approval import ExecutionStatus, RequestStatus, Role
from support_agents.domain.ids import RequestId
from tests.fixtures.console import Desk, open_desk
from tests.fixtures.installation import PASSWORD

ROOT = Path(__file__).parents[3]
DECIDING = {"/v1/approvals/{request_id}/decisions", "/console/requests/{request_id}/approve"}
ENTITLED = {"approver", "manager", "admin"}
CREDENTIALS = (
    "none", "read token", "cancel token", "viewer", *sorted(ENTITLED), "no csrf", "forged csrf", "another's csrf",
    "expired session", "ended session", "idle session",
)  # fmt: skip
ENDING = {("DELETE", "/v1/session"), ("POST", "/console/sign-out")}  # a credential is used up by these
SHOWN = re.compile(r'name="shown" value="([^"]+)"')
SKIPPED = {"/console/static/{name:path}"}


@dataclass(frozen=True)
class Given:
    """Headers of a credential, and the anti-forgery token that its forms carry."""

    headers: dict[str, str]
    csrf: str = ""


def routes_of(routes: list[BaseRoute]) -> Iterator[tuple[str, str]]:
    for route in routes:
        inner = getattr(getattr(route, "original_router", None), "routes", None)
        if inner is not None:
            prefix = getattr(getattr(route, "include_context", None), "prefix", "")
            yield from (
                (method, path if path.startswith(prefix) else prefix + path) for method, path in routes_of(inner)
            )
        elif isinstance(route, Route):
            yield from ((method, route.path) for method in sorted(route.methods or ()) if method != "HEAD")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        yield opened


async def credential(desk: Desk, name: str) -> Given:  # noqa: PLR0911 - one for each
    installation = desk.installation
    async with installation.container.database.write("doors") as uow:
        await uow.session.execute(text("DELETE FROM sign_in_failures"))  # knocking at the door counts, too
    match name:
        case "none":
            return Given({})
        case "read token":
            return Given(await installation.token(Scope.READ))
        case "cancel token":
            return Given(await installation.token(Scope.CANCEL))
        case "viewer" | "approver" | "manager" | "admin":
            session = await installation.sign_in(Role(name))
            return Given(session, session["X-CSRF-Token"])
    session = await installation.sign_in(Role.ADMIN)
    cookie, token = {"Cookie": session["Cookie"]}, session["X-CSRF-Token"]
    if name == "no csrf":
        return Given(cookie)
    if name in {"forged csrf", "another's csrf"}:
        other = (await installation.sign_in(Role.MANAGER))["X-CSRF-Token"]
        wrong = "x" * 43 if name == "forged csrf" else other
        return Given(cookie | {"X-CSRF-Token": wrong}, wrong)
    column = {"expired session": "expires_at", "ended session": "ended_at", "idle session": "idle_until"}[name]
    async with installation.container.database.write("time") as uow:
        mine = SESSIONS.c.csrf_secret == token
        await uow.session.execute(update(SESSIONS).where(mine).values({column: await uow.now()}))
    return Given(session, token)


async def knock(desk: Desk, route: tuple[str, str], given: Given, request: RequestId, digest: str) -> httpx.Response:
    """Use a route as somebody would who knows every id and digest there is."""
    method, path = route
    for name, value in {
        "request_id": request, "ticket_id": await desk.ticket_of(request), "run_id": uuid4(), "execution_id": uuid4(),
        "operator_id": uuid4(), "source": "standard", "name:path": "console.css", "path:path": "nowhere",
    }.items():  # fmt: skip
        path = path.replace("{" + name + "}", str(value))
    client = desk.installation.client
    client.cookies.clear()
    if method == "GET":
        return await client.get(path, headers=given.headers)
    if path.startswith("/console"):
        form = {
            "csrf": given.csrf, "digest": digest, "reason": "x", "text": "Dear Anna, bye.", "status": "succeeded",
            "note": "x", "request": str(request), "to": "on", "run": str(uuid4()),
            "shown": await stamp(desk, given, request),
            "code": "" if path.endswith("/approve") else "123456",
            "email": "nobody@support.example", "password": PASSWORD, "token": "x",
        }  # fmt: skip
        return await client.request(method, path, data=form, headers=given.headers)
    bodies: dict[str, dict[str, object]] = {
        "decisions": {"decision": "approve", "digest": digest}, "edits": {"text": "Dear Anna, bye."},
        "ask": {"text": "Hello?"}, "search": {"query": "return"}, "factor": {"code": "123456"},
        "session": {"email": "nobody@support.example", "password": "wrong"},
    }  # fmt: skip
    return await client.request(method, path, json=bodies.get(path.rpartition("/")[2], {}), headers=given.headers)


async def stamp(desk: Desk, given: Given, request: RequestId) -> str:
    """When the request's page was shown to whoever holds the credential, if it is."""
    page = await desk.installation.client.get(f"/console/requests/{request}", headers=given.headers)
    found = SHOWN.search(page.text)
    return found[1] if found else ""


async def executions(desk: Desk) -> int:
    async with desk.installation.container.database.read() as uow:
        return int((await uow.session.execute(text("SELECT count(*) FROM executions"))).scalar_one())


async def open_request(desk: Desk, request: RequestId | None) -> tuple[RequestId, str]:
    """The pending reply of before if it still is pending, or a fresh one."""
    for candidate in (request, None):
        made = candidate or await desk.reply()
        async with desk.installation.container.database.read() as uow:
            found = await uow.approvals.get(made)
        assert found is not None
        if found.status is RequestStatus.PENDING:
            return made, found.digest
    raise AssertionError("a fresh request is not pending")


async def test_i1_no_route_and_no_credential_leads_to_an_execution_but_an_entitled_persons_decision(desk: Desk) -> None:
    found = sorted(set(routes_of(desk.installation.app.routes)))
    assert {path for _, path in found} >= DECIDING
    assert len(found) > 40
    led: set[tuple[str, str]] = set()
    request: RequestId | None = None
    ring = {name: await credential(desk, name) for name in CREDENTIALS}
    for route in found:
        if route[1] in SKIPPED:
            continue
        for name in CREDENTIALS:
            request, digest = await open_request(desk, request)
            before = await executions(desk)
            answer = await knock(desk, route, ring[name], request, digest)
            if route in ENDING:
                ring[name] = await credential(desk, name)
            assert answer.status_code != 500, (route, name, answer.text)
            if await executions(desk) != before:
                led.add((route[1], name))
    assert led == {(path, name) for path in DECIDING for name in ENTITLED}


async def test_i1_every_execution_that_there_is_has_its_entitled_people(desk: Desk) -> None:
    for name in sorted(ENTITLED):
        request, digest = await open_request(desk, None)
        route = ("POST", "/v1/approvals/{request_id}/decisions")
        answer = await knock(desk, route, await credential(desk, name), request, digest)
        assert answer.status_code == 201, answer.text
    query = text(
        "SELECT count(*) FROM executions e WHERE NOT EXISTS (SELECT 1 FROM decisions d JOIN sessions s ON "
        "s.id = d.session_id WHERE d.id = e.decision_id AND d.verdict = 'approve' AND d.digest = e.digest "
        "AND d.role IN ('approver', 'manager', 'admin') AND s.operator_id = d.operator_id)"
    )
    async with desk.installation.container.database.read() as uow:
        assert (await uow.session.execute(query)).scalar_one() == 0
    assert await executions(desk) == len(ENTITLED)


def test_i1_the_tables_have_one_way_to_approved_and_none_to_a_first_schedule() -> None:
    assert {trigger for (_, trigger), to in REQUESTS.items() if to is RequestStatus.APPROVED} == {
        RequestTrigger.APPROVE_COMPLETED
    }
    back = {(status, trigger) for (status, trigger), to in EXECUTIONS.items() if to is ExecutionStatus.SCHEDULED}
    assert back == {(ExecutionStatus.IN_DOUBT, ExecutionTrigger.PROVED_ABSENT)}
    assert {status for (status, trigger), to in EXECUTIONS.items() if to is ExecutionStatus.EXECUTING} == {
        ExecutionStatus.SCHEDULED
    }


@cache
def functions() -> tuple[tuple[str, tuple[ast.expr, ...]], ...]:
    """Every function of ours as `module:function`, with what it calls."""
    found = []
    for package in ("approvals", "api", "db"):
        for path in (ROOT / package).rglob("*.py"):
            for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                    calls = tuple(node.func for node in ast.walk(function) if isinstance(node, ast.Call))
                    found.append((f"{path.relative_to(ROOT).as_posix()}:{function.name}", calls))
    return tuple(found)


def callers_of(attribute: str, owner: str = "", packages: tuple[str, ...] = ("approvals", "api", "db")) -> set[str]:
    """Every function of ours that calls `….owner.attribute(` – or `….attribute(`."""
    return {
        name
        for name, calls in functions()
        if name.startswith(packages) and any(_is_call(call, attribute, owner) for call in calls)
    }


def _is_call(function: ast.expr, attribute: str, owner: str) -> bool:
    if isinstance(function, ast.Name):
        return not owner and function.id == attribute
    if not isinstance(function, ast.Attribute) or function.attr != attribute:
        return False
    return not owner or (isinstance(function.value, ast.Attribute) and function.value.attr == owner)


def test_i1_the_code_has_one_place_that_schedules_and_few_that_ask_for_it() -> None:
    assert callers_of("add", "executions") == {"approvals/consequences.py:schedule"}
    assert callers_of("schedule") == {
        "approvals/consequences.py:schedule_if_due",
        "approvals/consequences.py:succeeded",
    }
    assert callers_of("schedule_if_due") == {"approvals/queue.py:_approve"}
    assert callers_of("decide", "approvals") == {"approvals/queue.py:_insert"}


def test_i1_a_person_is_made_only_where_a_session_or_a_linked_click_is_recognised() -> None:
    assert callers_of("Person", packages=("approvals", "api")) <= {
        "api/auth.py:_person",
        "approvals/linking.py:_person",
        "approvals/linking.py:person",
    }
