"""The outermost layer by itself: limits on what arrives, headers on what leaves, silence about what went wrong."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.edge import LIMIT, RECEIVED_AT, SET_COOKIE, Edge
from api.errors import MEDIA_TYPE, PROBLEMS, documented

NOW = datetime(2026, 11, 2, tzinfo=UTC)


async def reads_all(_scope: Scope, receive: Receive, send: Send) -> None:
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


async def fails(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise ValueError("Anna's words")


async def fails_late(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise ValueError("Anna's words")


async def shows_scope(scope: Scope, _receive: Receive, send: Send) -> None:
    scope[SET_COOKIE] = "support_session=fresh"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-security-policy", b"own")]})
    await send({"type": "http.response.body", "body": scope[RECEIVED_AT].isoformat().encode()})


def client(app: ASGIApp, *, secure: bool = False) -> httpx.AsyncClient:
    edge = Edge(app, now=lambda: NOW, secure=secure)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=edge), base_url="http://edge")


@pytest.mark.parametrize(("size", "status"), [(0, 200), (LIMIT, 200), (LIMIT + 1, 413)])
async def test_the_limit_is_exact(size: int, status: int) -> None:
    async with client(reads_all) as http:
        assert (await http.post("/", content=b"x" * size)).status_code == status


@pytest.mark.parametrize("length", ["-1", "1e3", "9" * 5_000, "²", ""])
async def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    async with client(reads_all) as http:
        answer = await http.post("/", content=b"x", headers=[(b"Content-Length", length.encode())])
        assert answer.status_code == 413
        assert answer.headers["content-type"] == MEDIA_TYPE


async def test_what_was_not_foreseen_is_a_problem_that_quotes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    async with client(fails) as http:
        answer = await http.get("/")
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal"
    printed = capsys.readouterr()
    assert "Anna" not in answer.text + printed.out + printed.err
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_an_answer_under_way_is_not_started_again() -> None:
    sent: list[str] = []

    async def send(message: Message) -> None:
        sent.append(message["type"])

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    await Edge(fails_late, now=lambda: NOW)(scope, receive, send)
    assert sent == ["http.response.start"]


async def test_arrival_headers_and_rotated_cookie() -> None:
    async with client(shows_scope, secure=True) as http:
        answer = await http.get("/")
    assert answer.text == NOW.isoformat()
    assert answer.headers["content-security-policy"] == "own"
    assert answer.headers["set-cookie"] == "support_session=fresh"
    assert "max-age" in answer.headers["strict-transport-security"]
    async with client(reads_all) as http:
        assert "strict-transport-security" not in (await http.get("/")).headers


async def test_chunks_are_counted_as_they_come() -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 65_536
            yield b"x" * 65_536

    async with client(reads_all) as http:
        answer = await http.post("/", content=endless())
    assert answer.status_code == 413
    assert json.loads(answer.content)["code"] == "too_large"
    assert taken <= LIMIT + 3 * 65_536


def test_every_problem_has_a_client_or_server_status_and_documents_itself() -> None:
    for code, (status, title) in PROBLEMS.items():
        assert 400 <= status < 600, code
        assert documented(code)[status]["description"] == title
