"""A stateful stand-in for Slack over real HTTP on loopback: Web API, response URLs, Socket Mode, limits, faults."""

import asyncio
import json
import socket
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import uuid4

from aiohttp import WSMsgType, web

from tests.peers.slack_limits import message_problems, view_problems

BOT_TOKEN, APP_TOKEN, SIGNING_SECRET = "xoxb-test", "xapp-test", "a slack signing secret for tests only"
TEAM, BOT, APP = "T0SHOP", "U0BOT", "A0APP"
TRIGGER_SECONDS = 3.0
RESPONSE_USES, RESPONSE_SECONDS = 5, 1_800.0
SCOPES = ("chat:write", "im:write", "users:read", "commands", "channels:read", "groups:read")
NEEDED = {
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "chat.postEphemeral": "chat:write",
    "conversations.open": "im:write",
    "conversations.info": "channels:read",
    "users.info": "users:read",
}
READ = {"conversations.info", "users.info"}
Answer = dict[str, Any]


@dataclass
class SlackMessage:
    """One message with every state it had."""

    channel: str
    ts: str
    states: list[Answer] = field(default_factory=list)
    accepted_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    deleted: bool = False

    @property
    def now(self) -> Answer:
        return self.states[-1]


@dataclass
class SlackView:
    """A modal on somebody's screen; every update gives it a new hash."""

    id: str
    states: list[Answer] = field(default_factory=list)
    open: bool = True

    @property
    def hash(self) -> str:
        return f"{self.id}.{len(self.states)}"


@dataclass
class Fault:
    """What goes wrong with the next calls of a method (`*`: any): a code, a status, `stall`, `lost`, `garbage`."""

    method: str
    what: str | int
    times: int = 1
    retry_after: float = 1.0


@dataclass
class SlackServer:
    """The state of one Slack workspace: `channels` and whether the app is in them, `users`; `down`: 503 for all."""

    channels: dict[str, bool] = field(default_factory=lambda: {"C0RISK": True, "C0OTHER": True, "C0FOREIGN": False})
    users: dict[str, Answer] = field(default_factory=dict)
    scopes: set[str] = field(default_factory=lambda: set(SCOPES))
    messages: dict[tuple[str, str], SlackMessage] = field(default_factory=dict)
    whispers: list[Answer] = field(default_factory=list)
    views: dict[str, SlackView] = field(default_factory=dict)
    homes: dict[str, Answer] = field(default_factory=dict)
    responses: dict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    faults: list[Fault] = field(default_factory=list)
    calls: list[tuple[str, Answer]] = field(default_factory=list)
    refusals: list[tuple[str, list[str]]] = field(default_factory=list)
    per_second: dict[str, float] = field(default_factory=dict)
    down: bool = False
    base_url: str = ""
    monotonic: Callable[[], float] = time.monotonic
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    acks: dict[str, Answer] = field(default_factory=dict)
    _acked: asyncio.Condition = field(default_factory=asyncio.Condition)
    _triggers: dict[str, float] = field(default_factory=dict)
    _addresses: dict[str, float] = field(default_factory=dict)
    _hits: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    _numbers: Any = field(default_factory=lambda: count(1))

    def add_user(self, user: str, name: str, **more: Any) -> None:
        self.users[user] = {"id": user, "team_id": TEAM, "name": name.lower(), "real_name": name, "tz": "UTC"} | more

    def join(self, name: str) -> str:
        """A person's new account."""
        account = f"U0{name.upper()}"
        self.add_user(account, name.title())
        return account

    def trigger(self) -> str:
        """A trigger as a click brings it: it opens one modal within three seconds."""
        made = f"{next(self._numbers)}.{uuid4().hex}"
        self._triggers[made] = self.monotonic() + TRIGGER_SECONDS
        return made

    def response_url(self) -> str:
        """An address as a click brings it."""
        made = f"{self.base_url}/respond/{uuid4().hex}"
        self._addresses[made.rpartition("/")[2]] = self.monotonic() + RESPONSE_SECONDS
        return made

    def shown(self, channel: str) -> list[SlackMessage]:
        """What stands in a channel, oldest first."""
        return [m for m in self.messages.values() if m.channel == channel and not m.deleted]

    @property
    def api_url(self) -> str:
        return f"{self.base_url}/api/"

    def count(self, method: str) -> int:
        return sum(name == method for name, _ in self.calls)

    async def call(self, request: web.Request) -> web.Response:
        """One call of the Web API."""
        method = request.match_info["method"]
        given = await _given(request)
        self.calls.append((method, given))
        if self.down:
            return web.Response(status=503)
        if (limited := self._limited(method, given)) is not None:
            return limited
        fault = self._fault(method)
        if fault is not None and fault.what != "lost":
            return await _faulty(fault)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        answer = self._answer(method, given, token)
        if fault is not None:  # done, but the answer never arrives whole
            return web.Response(status=502, text="bad gateway")
        headers = {"x-oauth-scopes": ",".join(sorted(self.scopes))}
        return web.json_response({"ok": "error" not in answer, **answer}, headers=headers)

    async def respond(self, request: web.Request) -> web.Response:
        """A use of a response URL: five times, thirty minutes."""
        if self.down:
            return web.Response(status=503)
        name = request.match_info["name"]
        body = await request.json()
        if self.monotonic() > self._addresses.get(name, 0.0):
            return web.Response(text="expired_url", status=404)
        if len(self.responses[name]) >= RESPONSE_USES:
            return web.Response(text="used_url", status=404)
        problems = message_problems(body) if "blocks" in body else []
        if problems:
            self.refusals.append(("response_url", problems))
            return web.Response(text="invalid_blocks", status=400)
        self.responses[name].append(body)
        return web.Response(text="ok")

    async def listen(self, request: web.Request) -> web.WebSocketResponse:
        """Socket Mode: say hello, then keep what comes back as acknowledgements."""
        websocket = web.WebSocketResponse()
        await websocket.prepare(request)
        self.sockets.append(websocket)
        hello = {"type": "hello", "num_connections": len(self.sockets), "connection_info": {"app_id": APP}}
        await websocket.send_json(hello)
        async for told in websocket:
            if told.type is WSMsgType.TEXT:
                await self._acknowledged(told.data)
        self.sockets.remove(websocket)
        return websocket

    async def _acknowledged(self, text: str) -> None:
        told = json.loads(text)
        async with self._acked:
            self.acks[str(told.get("envelope_id", ""))] = told
            self._acked.notify_all()

    async def deliver(self, kind: str, payload: Answer, *, seconds: float = 60) -> Answer:
        """Send an envelope by Socket Mode and wait for its acknowledgement."""
        envelope = uuid4().hex
        async with asyncio.timeout(seconds):
            while not self.sockets:  # noqa: ASYNC110 - between two connections
                await asyncio.sleep(0.01)
        await self.sockets[-1].send_json(
            {"type": kind, "envelope_id": envelope, "accepts_response_payload": True, "payload": payload}
        )
        async with asyncio.timeout(seconds), self._acked:
            await self._acked.wait_for(lambda: envelope in self.acks)
        return self.acks[envelope]

    async def disconnect(self) -> None:
        """Slack refreshes connections whenever it likes."""
        for each in list(self.sockets):
            await each.send_json({"type": "disconnect", "reason": "refresh_requested"})
            await each.close()

    def _answer(self, method: str, given: Answer, token: str) -> Answer:
        if token != (APP_TOKEN if method == "apps.connections.open" else BOT_TOKEN):
            return {"error": "invalid_auth"}
        if (needed := NEEDED.get(method)) is not None and needed not in self.scopes:
            return {"error": "missing_scope", "needed": needed, "provided": ",".join(sorted(self.scopes))}
        handler = getattr(self, f"_{method.replace('.', '_')}", None)
        answer: Answer = handler(given) if handler else {"error": "unknown_method"}
        return answer

    def _auth_test(self, _given: Answer) -> Answer:
        return {"url": f"{self.base_url}/", "team": "Shop", "user": "support", "team_id": TEAM, "user_id": BOT,
                "bot_id": "B0BOT", "is_enterprise_install": False}  # fmt: skip

    def _chat_postMessage(self, given: Answer) -> Answer:  # noqa: N802 - Slack's name
        if (error := self._unfit(given)) is not None:
            return error
        ts = f"{1_763_600_000 + next(self._numbers)}.{next(self._numbers):06d}"
        message = SlackMessage(given["channel"], ts, [given])
        self.messages[message.channel, ts] = message
        return {"channel": message.channel, "ts": ts, "message": {"text": given.get("text", ""), "ts": ts}}

    def _chat_update(self, given: Answer) -> Answer:
        message = self.messages.get((given.get("channel", ""), given.get("ts", "")))
        if message is None or message.deleted:
            return {"error": "message_not_found"}
        if (error := self._unfit(given)) is not None:
            return error
        message.states.append(given)
        return {"channel": message.channel, "ts": message.ts, "text": given.get("text", "")}

    def _chat_postEphemeral(self, given: Answer) -> Answer:  # noqa: N802 - Slack's name
        if (error := self._unfit(given)) is not None:
            return error
        if given.get("user") not in self.users:
            return {"error": "user_not_in_channel"}
        self.whispers.append(given)
        return {"message_ts": f"{next(self._numbers)}.000000"}

    def _conversations_open(self, given: Answer) -> Answer:
        users = str(given.get("users", "")).split(",")
        if not all(user in self.users for user in users):
            return {"error": "user_not_found"}
        channel = f"D{users[0][1:]}"
        self.channels[channel] = True
        return {"channel": {"id": channel}}

    def _conversations_info(self, given: Answer) -> Answer:
        channel = given.get("channel", "")
        if channel not in self.channels:
            return {"error": "channel_not_found"}
        return {"channel": {"id": channel, "name": channel.lower(), "is_member": self.channels[channel]}}

    def _users_info(self, given: Answer) -> Answer:
        user = self.users.get(given.get("user", ""))
        return {"user": user} if user else {"error": "user_not_found"}

    def _views_open(self, given: Answer) -> Answer:
        until = self._triggers.pop(given.get("trigger_id", ""), 0.0)
        if self.monotonic() > until:
            return {"error": "expired_trigger_id"}
        if (error := self._unfit_view(given["view"])) is not None:
            return error
        view = SlackView(f"V{next(self._numbers)}", [given["view"]])
        self.views[view.id] = view
        return {"view": {"id": view.id, "hash": view.hash, **given["view"]}}

    def _views_update(self, given: Answer) -> Answer:
        view = self.views.get(given.get("view_id", ""))
        if view is None or not view.open:
            return {"error": "not_found"}
        if given.get("hash", view.hash) != view.hash:
            return {"error": "hash_conflict"}
        if (error := self._unfit_view(given["view"])) is not None:
            return error
        view.states.append(given["view"])
        return {"view": {"id": view.id, "hash": view.hash, **given["view"]}}

    def _views_publish(self, given: Answer) -> Answer:
        if given.get("user_id") not in self.users:
            return {"error": "user_not_found"}
        if (error := self._unfit_view(given["view"])) is not None:
            return error
        self.homes[given["user_id"]] = given["view"]
        return {"view": {"id": f"H{given['user_id']}", "hash": str(next(self._numbers))}}

    def _apps_connections_open(self, _given: Answer) -> Answer:
        return {"url": f"{self.base_url.replace('http', 'ws', 1)}/socket"}

    def _unfit(self, message: Answer) -> Answer | None:
        channel = message.get("channel", "")
        if channel not in self.channels:
            return {"error": "channel_not_found"}
        if not self.channels[channel]:
            return {"error": "not_in_channel"}
        problems = message_problems(message)
        if not problems:
            return None
        self.refusals.append(("message", problems))
        too_long = any(problem.startswith("msg_blocks_too_long") for problem in problems)
        return {"error": "msg_blocks_too_long" if too_long else "invalid_blocks", "errors": problems}

    def _unfit_view(self, view: Answer) -> Answer | None:
        problems = view_problems(view)
        if problems:
            self.refusals.append(("view", problems))
        return {"error": "invalid_arguments", "response_metadata": {"messages": problems}} if problems else None

    def _fault(self, method: str) -> Fault | None:
        fault = next((each for each in self.faults if each.method in {"*", method}), None)
        if fault is not None:
            fault.times -= 1
            if fault.times <= 0:
                self.faults.remove(fault)
        return fault

    def _limited(self, method: str, given: Answer) -> web.Response | None:
        """Refuse more than `per_second` calls of a method in a channel; the window is a second long."""
        most = self.per_second.get(method)
        if most is None:
            return None
        now, hits = self.monotonic(), self._hits[f"{method}:{given.get('channel', '')}"]
        while hits and hits[0] <= now - 1:
            hits.popleft()
        if len(hits) >= most:
            body = {"ok": False, "error": "ratelimited"}
            return web.json_response(body, status=429, headers={"retry-after": "1"})
        hits.append(now)
        return None

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/api/{method}", self.call)
        app.router.add_post("/respond/{name}", self.respond)
        app.router.add_get("/socket", self.listen)
        return app


async def _given(request: web.Request) -> Answer:
    """The arguments; Slack's reading methods ignore a body of JSON, so this does too."""
    if request.content_type == "application/json":
        body = await request.read()
        return dict(json.loads(body)) if body and request.match_info["method"] not in READ else {}
    return {name: str(value) for name, value in (await request.post()).items()}


async def _faulty(fault: Fault) -> web.Response:
    match fault.what:
        case 429:
            body = {"ok": False, "error": "ratelimited"}
            return web.json_response(body, status=429, headers={"retry-after": str(fault.retry_after)})
        case int(status):
            return web.Response(status=status)
        case "stall":
            await asyncio.sleep(60)
            return web.Response(status=504)
        case "garbage":
            return web.Response(text="<html>maintenance</html>", content_type="application/json")
        case code:
            return web.json_response({"ok": False, "error": code})


@asynccontextmanager
async def serve_slack(server: SlackServer | None = None) -> AsyncIterator[SlackServer]:
    """Serve on a free port of loopback."""
    made = server or SlackServer()
    listening = socket.create_server(("127.0.0.1", 0))
    made.base_url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    runner = web.AppRunner(made.app(), shutdown_timeout=1)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    try:
        yield made
    finally:
        for each in made.sockets:
            await each.close()
        await runner.cleanup()
