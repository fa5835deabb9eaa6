"""The outermost ASGI layer: body limit, security headers and the instant of arrival; it reads no body itself."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import logging
from api.errors import problem

LIMIT = 1024 * 1024
TOO_LARGE = "A body may have at most 1 MiB; send attachments as links."
RECEIVED_AT = "support.received_at"
WROTE_COOKIE = "support.wrote_cookie"  # and a console's form a cookie by which its writer reads what they wrote
SET_COOKIE = "support.set_cookie"  # a route's dependency leaves a rotated session cookie here
_DIGITS = 16

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = (
    (b"content-security-policy", _CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
_SECURE_HEADERS = (*_HEADERS, (b"strict-transport-security", b"max-age=31536000"))
_NAMES = frozenset(name for name, _ in _SECURE_HEADERS)


class BodyTooLarge(HTTPException):
    """More came than may come; the framework lets it through, whoever was reading."""

    def __init__(self) -> None:
        super().__init__(413, TOO_LARGE, headers={"Connection": "close"})


@dataclass(frozen=True)
class Edge:
    """Wraps the application; a page may set a header of its own, which then stands."""

    app: ASGIApp
    now: Callable[[], datetime]
    secure: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 413 at once when its announced length is over the limit."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope[RECEIVED_AT] = self.now()
        send = self._with_headers(scope, send)
        if _announced(scope) > LIMIT:
            await problem("too_large", TOO_LARGE, headers={"Connection": "close"})(scope, receive, send)
            return
        await self._answered(scope, _counted(receive), send)

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 500 for what nobody foresaw; its message stays unsaid and unlogged, for it may quote a customer."""
        started = False

        async def noting(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, noting)
        except BodyTooLarge as error:
            if not started:
                await problem("too_large", error.detail, headers=error.headers)(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - this is the edge: the last place that can answer
            logging.get().error("request_failed", error_type=logging.error_type(error), method=scope["method"])
            if not started:
                await problem("internal", "The request failed; the log has the kind of error.")(scope, receive, send)

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        extra = _SECURE_HEADERS if self.secure else _HEADERS

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ())]
                present = {name for name, _ in headers}
                headers += extra if _NAMES.isdisjoint(present) else [pair for pair in extra if pair[0] not in present]
                if SET_COOKIE in scope and b"set-cookie" not in present:
                    headers.append((b"set-cookie", scope[SET_COOKIE].encode("ascii")))
                if scope.get(WROTE_COOKIE):
                    headers.append((b"set-cookie", scope[WROTE_COOKIE].encode("ascii")))
                message = {**message, "headers": headers}
            await send(message)

        return with_headers


def _announced(scope: Scope) -> int:
    """The Content-Length, or 0 when there is none that makes sense."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() and len(value) < _DIGITS else LIMIT + 1
    return 0


def _counted(receive: Receive) -> Receive:
    """Count what really arrives: a chunked body announces nothing, and a length may lie."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > LIMIT:
            raise BodyTooLarge
        return message

    return counted
