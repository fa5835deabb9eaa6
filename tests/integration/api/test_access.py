"""Who may do what over HTTP: every route by every credential, denied unless the table here says otherwise (I1)."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import update
from starlette.routing import BaseRoute, Route

from api.auth import Scope
from db.repositories.operators import SESSIONS
from support_agents.domain.approval import Role
from tests.fixtures.installation import Installation

PUBLIC, READ, CANCEL, PERSON, SESSION = "public", "read", "cancel", "person", "session"

# Every route of the REST API with what it takes to use it. A route that is not here fails the first test.
ACCESS = {
    ("POST", "/webhooks/{source}"): PUBLIC,  # its signature is its credential
    ("POST", "/slack/interactivity"): PUBLIC,  # as above
    ("POST", "/slack/commands"): PUBLIC,
    ("POST", "/slack/events"): PUBLIC,
    ("POST", "/webhooks/stripe"): PUBLIC,  # as above
    ("POST", "/webhooks/paypal"): PUBLIC,  # as above
    ("GET", "/healthz"): PUBLIC,
    ("GET", "/readyz"): PUBLIC,
    ("GET", "/v1/openapi.json"): PUBLIC,
    ("GET", "/metrics"): READ,
    ("POST", "/v1/session"): PUBLIC,
    ("GET", "/v1/session"): SESSION,
    ("DELETE", "/v1/session"): PERSON,
    ("POST", "/v1/session/factor"): PERSON,
    ("GET", "/v1/tickets"): READ,
    ("GET", "/v1/tickets/{ticket_id}"): READ,
    ("GET", "/v1/runs/{run_id}"): READ,
    ("PUT", "/v1/runs/{run_id}/intent"): PERSON,
    ("GET", "/v1/approvals"): READ,
    ("GET", "/v1/approvals/{request_id}"): READ,
    ("POST", "/v1/approvals/{request_id}/decisions"): PERSON,
    ("POST", "/v1/approvals/{request_id}/edits"): PERSON,
    ("POST", "/v1/executions/{execution_id}/cancel"): CANCEL,
    ("POST", "/v1/quarantine/adopt"): PERSON,
    ("GET", "/v1/dispatch"): READ,
    ("POST", "/v1/ask"): READ,
    ("POST", "/v1/knowledge/search"): READ,
    ("GET", "/v1/knowledge/index"): READ,
}
BODIES: dict[str, dict[str, object]] = {
    "/v1/session/factor": {"code": "000000"},
    "/v1/runs/{run_id}/intent": {"intent": "refund_request"},
    "/v1/approvals/{request_id}/decisions": {"decision": "approve", "digest": "0" * 64},
    "/v1/approvals/{request_id}/edits": {"text": "Hello."},
    "/v1/ask": {"text": "Hello?"},
    "/v1/knowledge/search": {"query": "return"},
}
REFUSED = {401, 403}
REST = ("/v1", "/webhooks", "/slack", "/healthz", "/readyz", "/metrics")


def rest_routes(routes: list[BaseRoute]) -> Iterator[tuple[str, str]]:
    """Method and path of every route that is not a page of the console."""
    for route in routes:
        inner = getattr(getattr(route, "original_router", None), "routes", None)
        if inner is not None:
            yield from rest_routes(inner)
        elif isinstance(route, Route) and route.path.startswith(REST):
            yield from ((method, route.path) for method in (route.methods or ()) if method != "HEAD")


async def call(installation: Installation, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
    address = path
    for name in ("ticket_id", "run_id", "request_id", "execution_id"):
        address = address.replace("{" + name + "}", str(uuid4()))
    body = BODIES.get(path, {} if method == "POST" else None)
    return await installation.client.request(method, address, json=body, headers=headers)


async def test_every_route_is_in_the_table(local_installation: Installation) -> None:
    assert set(rest_routes(local_installation.app.routes)) == set(ACCESS)


async def test_i1_every_route_refuses_every_credential_that_the_table_does_not_allow(
    local_installation: Installation,
) -> None:
    nobody: dict[str, str] = {}
    read, cancel = await local_installation.token(Scope.READ), await local_installation.token(Scope.CANCEL)
    session = await local_installation.sign_in(Role.ADMIN)
    no_csrf = {"Cookie": session["Cookie"]}
    wrong_csrf = no_csrf | {"X-CSRF-Token": "x" * 43}
    forged = {"Authorization": "Bearer sat_" + "x" * 43}
    disguised = {"Authorization": "Bearer " + session["Cookie"].partition("=")[2]}
    refused = {
        PUBLIC: [],
        READ: [nobody, cancel, forged, disguised],
        CANCEL: [nobody, read, no_csrf, wrong_csrf, forged, disguised],
        SESSION: [nobody, read, cancel, forged, disguised],
        PERSON: [nobody, read, cancel, read | session, no_csrf, wrong_csrf, forged, disguised],
    }
    allowed = {PUBLIC: [nobody], READ: [read, session], CANCEL: [cancel, session], SESSION: [session], PERSON: []}
    for (method, path), access in ACCESS.items():
        for credential in refused[access]:
            answer = await call(local_installation, method, path, credential)
            assert answer.status_code in REFUSED, (method, path, credential, answer.text)
        if path.startswith("/v1"):
            for credential in allowed[access]:
                answer = await call(local_installation, method, path, credential)
                assert answer.status_code not in REFUSED or path == "/v1/session", (method, path, answer.text)


async def test_i1_a_token_that_tries_to_decide_is_told_that_a_person_is_needed(
    local_installation: Installation,
) -> None:
    both = await local_installation.token(Scope.READ, Scope.CANCEL)
    answer = await call(local_installation, "POST", "/v1/approvals/{request_id}/decisions", both)
    assert (answer.status_code, answer.json()["code"]) == (403, "person_needed")


async def test_a_session_without_its_csrf_token_decides_nothing(local_installation: Installation) -> None:
    session = await local_installation.sign_in()
    path = "/v1/approvals/{request_id}/decisions"
    answer = await call(local_installation, "POST", path, {"Cookie": session["Cookie"]})
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf")
    assert (await call(local_installation, "POST", path, session)).json()["code"] == "not_found"


async def test_another_sessions_csrf_token_is_no_good(local_installation: Installation) -> None:
    mine, other = await local_installation.sign_in(Role.APPROVER), await local_installation.sign_in(Role.MANAGER)
    crossed = {"Cookie": mine["Cookie"], "X-CSRF-Token": other["X-CSRF-Token"]}
    answer = await call(local_installation, "POST", "/v1/quarantine/adopt", crossed)
    assert answer.json()["code"] == "csrf"


async def test_signing_in_and_out_over_http(local_installation: Installation) -> None:
    client = local_installation.client
    email = await local_installation.add_operator(Role.VIEWER)
    wrong = await client.post("/v1/session", json={"email": email, "password": "wrong"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "bad_credentials")
    session = await local_installation.sign_in(Role.VIEWER)
    me = await client.get("/v1/session", headers=session)
    assert (me.json()["email"], me.json()["csrf"]) == (email, session["X-CSRF-Token"])
    out = await client.delete("/v1/session", headers=session)
    assert out.status_code == 204
    assert "Max-Age=0" in out.headers["set-cookie"]
    assert (await client.get("/v1/session", headers=session)).status_code == 401


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(local_installation: Installation) -> None:
    email = await local_installation.add_operator(Role.VIEWER)
    answer = await local_installation.client.post(
        "/v1/session", json={"email": email, "password": "a short sentence is good"}
    )
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert answer.headers["cache-control"] == "no-store"


async def test_lockout_over_http_says_how_long(local_installation: Installation) -> None:
    email = await local_installation.add_operator(Role.VIEWER)
    for _ in range(5):
        await local_installation.client.post("/v1/session", json={"email": email, "password": "wrong"})
    answer = await local_installation.client.post("/v1/session", json={"email": email, "password": "wrong"})
    assert (answer.status_code, answer.json()["code"]) == (429, "locked_out")
    assert "seconds" in answer.json()["detail"]
    assert int(answer.headers["retry-after"]) > 0


async def test_a_rotated_cookie_comes_with_any_answer(local_installation: Installation) -> None:
    session = await local_installation.sign_in()
    async with local_installation.container.database.write("test") as uow:
        await uow.session.execute(update(SESSIONS).values(rotated_at=await uow.now() - timedelta(minutes=20)))
    answer = await local_installation.client.get("/v1/approvals", headers=session)
    assert answer.status_code == 200
    fresh = answer.headers["set-cookie"].partition(";")[0]
    assert fresh != session["Cookie"]
    assert (await local_installation.client.get("/v1/session", headers={"Cookie": fresh})).status_code == 200


@pytest.mark.parametrize("path", ["/v1/tickets", "/v1/approvals"])
async def test_bad_input_is_a_problem_document(local_installation: Installation, path: str) -> None:
    read = await local_installation.token(Scope.READ)
    for query, code in (("?cursor=rubbish", "bad_cursor"), ("?limit=0", "invalid"), ("?limit=x", "invalid")):
        answer = await local_installation.client.get(path + query, headers=read)
        assert answer.json()["code"] == code, (path, query, answer.text)


async def test_openapi_names_errors_and_credentials(local_installation: Installation) -> None:
    document = (await local_installation.client.get("/v1/openapi.json")).json()
    assert {"bearer", "session"} == set(document["components"]["securitySchemes"])
    assert "Problem" in document["components"]["schemas"]
    deciding = document["paths"]["/v1/approvals/{request_id}/decisions"]["post"]["responses"]
    assert {"201", "401", "403", "404", "409", "422"} <= set(deciding)
    assert {"202", "401", "404", "413"} <= set(document["paths"]["/webhooks/{source}"]["post"]["responses"])
