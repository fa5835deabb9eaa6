"""A stateful stand-in for Zendesk over real HTTP on loopback: tickets, comments, audits, conflicts, faults."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

API_USER = 900
CUSTOMER = 100
EMAIL, TOKEN = "api@shop.example", "zendesk-token"
START = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
PAGE = 2  # audits per page, small so that paging is exercised


def stamped(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class ZendeskTicket:
    """One ticket; every update moves `updated_at` on by at least a second."""

    id: int
    requester_email: str
    status: str = "open"
    updated_at: datetime = START
    email_cc_ids: list[int] = field(default_factory=list)
    follower_ids: list[int] = field(default_factory=list)
    users: dict[int, str] = field(default_factory=dict)
    comments: list[dict[str, Any]] = field(default_factory=list)
    audits: list[dict[str, Any]] = field(default_factory=list)

    def comment(self, author: int, body: str, *, public: bool = True, metadata: dict[str, Any] | None = None,
                at: datetime | None = None) -> dict[str, Any]:  # fmt: skip
        """Add a comment with its audit; returns the audit."""
        self.updated_at = max(at or datetime.now(UTC), self.updated_at + timedelta(seconds=1))
        number = self.id * 1000 + len(self.audits) + 1
        self.comments.append(
            {
                "id": number,
                "author_id": author,
                "public": public,
                "html_body": body,
                "created_at": stamped(self.updated_at),
            }
        )
        audit = {
            "id": number + 500,
            "ticket_id": self.id,
            "author_id": author,
            "metadata": {"custom": metadata or {}, "system": {"client": "test"}},
            "events": [{"id": number, "type": "Comment", "public": public, "html_body": body}],
        }
        self.audits.append(audit)
        return audit


@dataclass
class ZendeskServer:
    """A helpdesk with its tickets.

    `faults` holds what goes wrong with the next updates: an HTTP status, `drop_after`, `garbage`, `stall_before` or
    `stall_after` the comment was written; `reached` is set once one stalls.
    """

    tickets: dict[int, ZendeskTicket] = field(default_factory=dict)
    faults: list[int | str] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    base_url: str = ""
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    def add(
        self, number: int, requester_email: str, body: str = "Where is my order?", *, at: datetime = START
    ) -> ZendeskTicket:
        """A ticket with the customer's first message."""
        ticket = self.tickets[number] = ZendeskTicket(number, requester_email)
        ticket.updated_at = at - timedelta(seconds=1)
        ticket.comment(CUSTOMER, body, at=at)
        return ticket

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/api/v2/users/me.json", self._me),
                Route("/api/v2/tickets/{number:int}.json", self._show, methods=["GET"]),
                Route("/api/v2/tickets/{number:int}.json", self._update, methods=["PUT"]),
                Route("/api/v2/tickets/{number:int}/comments.json", self._comments),
                Route("/api/v2/tickets/{number:int}/audits.json", self._audits),
            ]
        )

    def _refusal(self, request: Request) -> Response | None:
        self.requests.append((request.method, request.url.path))
        expected = base64.b64encode(f"{EMAIL}/token:{TOKEN}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {expected}":
            return JSONResponse({"error": "Couldn't authenticate you"}, status_code=401)
        number = request.path_params.get("number")
        if number is not None and number not in self.tickets:
            return JSONResponse({"error": "RecordNotFound"}, status_code=404)
        return None

    async def _me(self, request: Request) -> Response:
        return self._refusal(request) or JSONResponse({"user": {"id": API_USER, "email": EMAIL}})

    async def _show(self, request: Request) -> Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        ticket = self.tickets[request.path_params["number"]]
        users = [{"id": CUSTOMER, "email": ticket.requester_email}, {"id": API_USER, "email": EMAIL}]
        users += [{"id": number, "email": email} for number, email in ticket.users.items()]
        return JSONResponse({"ticket": _shown(ticket), "users": users})

    async def _update(self, request: Request) -> Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, int):
            return JSONResponse({"error": "Fault"}, status_code=fault)
        if fault == "stall_before":
            await self._hold()
        ticket, asked = self.tickets[request.path_params["number"]], (await request.json())["ticket"]
        if ticket.status == "closed":
            return JSONResponse({"error": "RecordInvalid"}, status_code=422)
        if asked.get("safe_update") and asked.get("updated_stamp") != stamped(ticket.updated_at):
            return JSONResponse({"error": "UpdateConflict"}, status_code=409)
        said = asked["comment"]
        audit = ticket.comment(API_USER, said["html_body"], public=said["public"], metadata=asked.get("metadata"))
        if fault == "stall_after":
            await self._hold()
        if fault == "drop_after":
            raise ConnectionAbortedError
        if fault == "garbage":
            return Response("<html>", media_type="text/html")
        return JSONResponse({"ticket": _shown(ticket), "audit": audit})

    async def _hold(self) -> None:
        """For longer than anybody waits."""
        self.reached.set()
        await asyncio.sleep(60)

    async def _comments(self, request: Request) -> Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        ticket = self.tickets[request.path_params["number"]]
        newest_first = request.query_params.get("sort_order") == "desc"
        return JSONResponse({"comments": ticket.comments[::-1] if newest_first else ticket.comments})

    async def _audits(self, request: Request) -> Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        audits = self.tickets[request.path_params["number"]].audits
        start = int(request.query_params.get("page[after]", "0"))
        page = audits[start : start + PAGE]
        more = start + PAGE < len(audits)
        return JSONResponse({"audits": page, "meta": {"has_more": more, "after_cursor": str(start + PAGE)}})


def _shown(ticket: ZendeskTicket) -> dict[str, Any]:
    return {
        "id": ticket.id,
        "status": ticket.status,
        "requester_id": CUSTOMER,
        "email_cc_ids": ticket.email_cc_ids,
        "follower_ids": ticket.follower_ids,
        "collaborator_ids": [*ticket.email_cc_ids, *ticket.follower_ids],
        "updated_at": stamped(ticket.updated_at),
        "subject": "Order",
    }


@asynccontextmanager
async def serving(server: ZendeskServer) -> AsyncIterator[ZendeskServer]:
    """Serve on a free loopback port until left."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(server.app(), log_level="critical", lifespan="off", ws="none", timeout_graceful_shutdown=1)
    running = uvicorn.Server(config)
    task = asyncio.create_task(running.serve(sockets=[listener]))
    server.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    while not running.started:  # noqa: ASYNC110 - uvicorn offers no event
        await asyncio.sleep(0.01)
    try:
        yield server
    finally:
        running.should_exit = True
        await task
        listener.close()
