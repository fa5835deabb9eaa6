"""Counts requests by route and status around the application; it looks at no body, header or query."""

import time
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.telemetry.instruments import Requests

UNMATCHED = "unmatched"
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_WEBHOOKS = "/webhooks/{source}"


@dataclass(frozen=True)
class CountedRequests:
    """Wraps the application. A path that no route has is one label for all, whatever was asked for."""

    app: ASGIApp
    requests: Requests
    sources: frozenset[str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and note how it was answered; one that was never answered counts as 500."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            route = self._route(scope)
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self.requests.answered.labels(route, method, str(status)).inc()
            self.requests.seconds.labels(route).observe(time.perf_counter() - began)

    def _route(self, scope: Scope) -> str:
        """The route's template, with the sender in it only where it is one of ours."""
        route: str = getattr(scope.get("route"), "path", UNMATCHED)
        source = scope.get("path_params", {}).get("source")
        return f"/webhooks/{source}" if route == _WEBHOOKS and source in self.sources else route
