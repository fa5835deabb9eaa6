"""A shop's own system over real HTTP, as the signed requests' receiver is described; it does each action once."""

import asyncio
import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

SECRET = "whsec_" + base64.b64encode(b"a step secret for tests only").decode()


@dataclass
class StepServer:
    """`faults` of the requests to come: an HTTP status, `stall_after`, `drop_after`, `long`, `redirect`."""

    done: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    faults: list[int | str] = field(default_factory=list)
    status: dict[str, Any] | None = None
    base_url: str = ""

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/status/{action}", self._status),
                Route("/elsewhere", self._elsewhere, methods=["GET", "POST"]),
                Route("/{path:path}", self._step, methods=["POST"]),
            ]
        )

    async def _step(self, request: Request) -> Response:
        raw = await request.body()
        if not self._is_signed(request, raw):
            return JSONResponse({}, status_code=401)
        self.paths.append(request.scope["raw_path"].decode())
        self.keys.append(request.headers["idempotency-key"])
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, int):
            return JSONResponse({}, status_code=fault)
        if fault == "redirect":
            return RedirectResponse("/elsewhere", status_code=307)
        told = json.loads(raw)
        self.done.setdefault(told["action"], told)
        if fault == "stall_after":
            await asyncio.sleep(60)
        if fault == "drop_after":
            raise ConnectionAbortedError
        return JSONResponse(
            {"reference": f"shop-{told['action']}", "filler": "x" * (200_000 if fault == "long" else 0)}
        )

    def _is_signed(self, request: Request, raw: bytes) -> bool:
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        head = request.headers
        content = f"{head['webhook-id']}.{head['webhook-timestamp']}.".encode() + raw
        mac = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
        return head["webhook-signature"] == f"v1,{mac}" and head["webhook-id"] == head["idempotency-key"]

    async def _status(self, request: Request) -> Response:
        if not self._is_signed(request, b""):
            return JSONResponse({}, status_code=401)
        action = request.path_params["action"]
        known = {"status": "done", "reference": f"shop-{action}"} if action in self.done else {"status": "absent"}
        return JSONResponse(self.status or known)

    async def _elsewhere(self, _request: Request) -> Response:
        self.done["elsewhere"] = {}
        return JSONResponse({})
