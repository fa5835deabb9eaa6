"""The way of the SDKs' requests over aiohttp, which reads a stream in C; it retries nothing and follows no redirect.

A token that comes by itself costs half of what it costs over the SDKs' own transport, and tokens that have come
together are read at once instead of one after another.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.request import getproxies

import aiohttp
import httpx2
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError

# As in the SDKs' own clients.
_MOST_CONNECTIONS, _KEPT_SECONDS = 1_000, 5.0
_LONGEST_HEADER, _MOST_HEADERS = 100 * 1_024, 1_000


def http_client(usual: Callable[..., httpx2.AsyncClient]) -> httpx2.AsyncClient:
    """Return the `usual` client of an SDK, over aiohttp unless the environment names proxies, which it is to find.

    By itself it would follow a redirect, and take the customer's words to whoever that names.
    """
    options: dict[str, Any] = {} if getproxies() else {"transport": AiohttpTransport()}
    return usual(follow_redirects=False, **options)


class AiohttpTransport(httpx2.AsyncBaseTransport):
    """Connections of one client, kept open between requests; its faults are those of `httpx2`."""

    def __init__(self) -> None:
        self._trusted = httpx2.create_ssl_context()
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; return the answer once its headers are there."""
        limits = request.extensions["timeout"]
        timeout = aiohttp.ClientTimeout(
            connect=limits["pool"], sock_connect=limits["connect"], sock_read=limits["read"]
        )
        # Two turns of the event loop, after which a connection that the other side has closed is known as such.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        with _faults_as(httpx2.ConnectError):
            async with asyncio.timeout(_until_headers(limits)):
                answer = await self._opened().request(
                    request.method,
                    _address(request.url),
                    headers=request.headers.multi_items(),
                    data=await request.aread(),
                    timeout=timeout,
                    allow_redirects=False,
                )
        return httpx2.Response(answer.status, headers=answer.raw_headers, stream=_Body(answer), request=request)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        """The session, which can only be made where an event loop runs."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=_Connector(limit=_MOST_CONNECTIONS, keepalive_timeout=_KEPT_SECONDS, ssl=self._trusted),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                max_line_size=_LONGEST_HEADER,
                max_field_size=_LONGEST_HEADER,
                max_headers=_MOST_HEADERS,
            )
        return self._session


class _Connector(aiohttp.TCPConnector):
    """Gives out no kept connection on which something has come unasked: the next request would take it for its answer.

    It uses two underscored parts of its parent, which offers no other way.
    """

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - those of the parent
        super().__init__(**options)
        self._factory: Any = partial(_Protocol, loop=self._loop)

    async def _get(self, key: Any, traces: Any) -> Any:  # noqa: ANN401 - as the parent's
        while (kept := await super()._get(key, traces)) is not None:
            if kept.protocol is not None and not kept.protocol.should_close:
                return kept
            kept.close()
        return None


class _Protocol(ResponseHandler):
    """Tells whoever reads a body that no more of it will come: its parent lets them wait for ever.

    It does so where what came next could not be read, and where the session is closed. It goes on reading only where
    reading had stopped.
    """

    def resume_reading(self, resume_parser: bool = True) -> None:  # noqa: FBT001, FBT002 - as the parent's
        # The parent is told so after each chunk that was taken, and looks each time whether anything was held back.
        if self._reading_paused:
            super().resume_reading(resume_parser)

    def set_exception(self, exc: BaseException, *cause: BaseException) -> None:
        super().set_exception(exc, *cause)
        if isinstance(exc, HttpProcessingError):
            self._break_off(*cause)

    def close(self) -> None:
        self._break_off()
        super().close()

    def abort(self) -> None:
        self._break_off()
        super().abort()

    def _break_off(self, *cause: BaseException) -> None:
        if self._payload is not None and not self._payload.is_eof():
            self._payload.set_exception(aiohttp.ClientPayloadError("the answer broke off"), *cause)


class _Body(httpx2.AsyncByteStream):
    """An answer's body: each piece is all that has come since the last."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _faults_as(httpx2.ReadError):
            async for piece in self._answer.content.iter_any():
                yield piece

    async def aclose(self) -> None:
        """Give the connection back, or hang up if there is more to come."""
        self._answer.release()


def _address(url: httpx2.URL) -> str:
    """The address without whoever it names, whom the client has put into a header."""
    return str(url.copy_with(username=None, password=None) if url.userinfo else url)


def _until_headers(limits: Mapping[str, float | None]) -> float | None:
    """Seconds for all that comes before the body: without them, who takes no more of a request is waited for."""
    each = [limits["connect"], limits["write"], limits["read"]]
    return None if None in each else sum(seconds for seconds in each if seconds is not None)


@contextmanager
def _faults_as(fault: type[httpx2.TransportError]) -> Iterator[None]:
    """Raise what goes wrong as a fault of `httpx2`: a time limit as that, anything else as `fault`."""
    try:
        yield
    except TimeoutError as error:
        raise httpx2.ReadTimeout(str(error)) from error
    except (aiohttp.ClientError, OSError, ValueError) as error:  # the last of headers that cannot be sent
        raise fault(str(error)) from error
