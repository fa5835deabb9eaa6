"""Fetches listed pages and customers' files: https, a public address resolved once, no redirects, 5 MB at most."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import httpx

from support_agents.domain.addresses import is_public
from support_agents.domain.errors import Failed, Ok
from support_agents.domain.origins import Origin

LARGEST_BYTES = 5_000_000
SECONDS = 20.0

Resolve = Callable[[str, int], Awaitable[tuple[str, ...]]]


async def by_the_system(host: str, port: int) -> tuple[str, ...]:
    """Return all addresses of a host."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


_LAST_PORT = 65_535


@dataclass(frozen=True)
class PageFetcher:
    """One guarded client. `private` hosts may be in private ranges and speak plain http; nobody else may.

    The address that was checked is the address that is connected to, so a name cannot change its mind in between.
    With `hosts` no other host is asked. `credentials` are values of `Authorization` by the one server that each is
    for; such a server's host is asked by no other scheme and on no other port, with or without a credential.
    """

    private: frozenset[str] = frozenset()
    resolve: Resolve = field(default=by_the_system, repr=False)
    largest: int = LARGEST_BYTES
    seconds: float = SECONDS
    hosts: frozenset[str] | None = None
    credentials: Mapping[Origin, str] = field(default_factory=dict, repr=False)

    async def fetch(self, url: str) -> Ok[bytes] | Failed:
        """Return the body of one page; every refusal and failure says why."""
        try:
            parts = httpx.URL(url)
            # A host of strange letters is found out only when it is read, a port beyond all ports only when it is used.
            host, port = parts.host, parts.port
        except (httpx.InvalidURL, ValueError):
            return Failed("invalid_url", "is not an address")
        if port is not None and not 0 < port <= _LAST_PORT:
            return Failed("invalid_url", f"names a port of {host} that there is not")
        if parts.userinfo:
            return Failed("invalid_url", "holds a name or password; leave it out")
        try:
            async with asyncio.timeout(self.seconds):
                pinned = await self._pinned(parts)
                return pinned if isinstance(pinned, Failed) else await self._body(parts, pinned.value)
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            return Failed("unreachable", f"could not be fetched: {type(error).__name__}", retryable=True)

    def _refused(self, url: httpx.URL) -> Failed | None:
        if self.hosts is not None and url.host not in self.hosts:
            return Failed("host_not_listed", f"{url.host} is not among the hosts that may be asked")
        known = [origin for origin in self.credentials if origin.host == url.host]
        if known and _origin(url) not in known:
            return Failed("not_the_credentials_server", f"is on {_origin(url)}; the credential is for {known[0]} alone")
        if not url.host or (url.scheme != "https" and not (url.host in self.private and url.scheme == "http")):
            return Failed("not_https", "is not an https address")
        return None

    async def _pinned(self, url: httpx.URL) -> Ok[str] | Failed:
        if (refused := self._refused(url)) is not None:
            return refused
        try:
            found = await self.resolve(url.host, url.port or 443)
        except OSError:
            return Failed("unreachable", f"{url.host} is not known", retryable=True)
        if not found:
            return Failed("unreachable", f"{url.host} has no address", retryable=True)
        if url.host not in self.private and not all(map(is_public, found)):
            return Failed(
                "private_address", f"{url.host} is in a private range; list it with --private-host if it may be"
            )
        return Ok(found[0])

    async def _body(self, url: httpx.URL, address: str) -> Ok[bytes] | Failed:
        headers = {"Host": url.netloc.decode(), "User-Agent": "support-agents", "Accept-Encoding": "identity"}
        if (credential := self.credentials.get(_origin(url))) is not None:
            headers["Authorization"] = credential
        async with (
            httpx.AsyncClient(follow_redirects=False, trust_env=False, timeout=self.seconds) as client,
            client.stream(
                "GET", url.copy_with(host=address), headers=headers, extensions={"sni_hostname": url.host}
            ) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                return Failed("status", f"answered {answer.status_code}, and redirects are not followed")
            body = bytearray()
            # Raw: what a server compresses all the same is not unpacked, so it cannot expand.
            async for piece in answer.aiter_raw():
                body += piece
                if len(body) > self.largest:
                    return Failed("too_large", f"larger than {self.largest:,} bytes")
            if answer.headers.get("content-encoding", "identity") != "identity":
                return Failed("encoded", "is compressed although we asked for plain bytes")
        return Ok(bytes(body))


def _origin(url: httpx.URL) -> Origin:
    return Origin.of(url.scheme, url.host, url.port)
