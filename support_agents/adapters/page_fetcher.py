"""Fetches pages that a person listed: https, a public address resolved once, no redirects, five megabytes at most."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx

from support_agents.domain.addresses import is_public
from support_agents.domain.errors import Failed, Ok

LARGEST_BYTES = 5_000_000
SECONDS = 20.0

Resolve = Callable[[str, int], Awaitable[tuple[str, ...]]]


async def by_the_system(host: str, port: int) -> tuple[str, ...]:
    """Return all addresses of a host."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True)
class PageFetcher:
    """One guarded client. `private` hosts may be in private ranges and speak plain http; nobody else may.

    The address that was checked is the address that is connected to, so a name cannot change its mind in between.
    """

    private: frozenset[str] = frozenset()
    resolve: Resolve = field(default=by_the_system, repr=False)
    largest: int = LARGEST_BYTES

    async def fetch(self, url: str) -> Ok[bytes] | Failed:
        """Return the body of one page; every refusal and failure says why."""
        try:
            parts = httpx.URL(url)
        except (httpx.InvalidURL, ValueError):
            return Failed("invalid_url", "is not an address")
        if parts.userinfo:
            return Failed("invalid_url", "holds a name or password; leave it out")
        pinned = await self._pinned(parts)
        if isinstance(pinned, Failed):
            return pinned
        try:
            async with asyncio.timeout(SECONDS):
                return await self._body(parts, pinned.value)
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            return Failed("unreachable", f"could not be fetched: {type(error).__name__}", retryable=True)

    async def _pinned(self, url: httpx.URL) -> Ok[str] | Failed:
        is_private = url.host in self.private
        if not url.host or (url.scheme != "https" and not (is_private and url.scheme == "http")):
            return Failed("not_https", "is not an https address")
        try:
            found = await self.resolve(url.host, url.port or 443)
        except OSError:
            return Failed("unreachable", f"{url.host} is not known", retryable=True)
        if not found:
            return Failed("unreachable", f"{url.host} has no address", retryable=True)
        if not is_private and not all(map(is_public, found)):
            return Failed(
                "private_address", f"{url.host} is in a private range; list it with --private-host if it may be"
            )
        return Ok(found[0])

    async def _body(self, url: httpx.URL, address: str) -> Ok[bytes] | Failed:
        headers = {"Host": url.netloc.decode(), "User-Agent": "support-agents", "Accept-Encoding": "identity"}
        async with (
            httpx.AsyncClient(follow_redirects=False, trust_env=False, timeout=SECONDS) as client,
            client.stream(
                "GET", url.copy_with(host=address), headers=headers, extensions={"sni_hostname": url.host}
            ) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                return Failed("status", f"answered {answer.status_code}; redirects are not followed")
            body = bytearray()
            # Raw: what a server compresses all the same is not unpacked, so it cannot expand.
            async for piece in answer.aiter_raw():
                body += piece
                if len(body) > self.largest:
                    return Failed("too_large", f"larger than {self.largest:,} bytes")
            if answer.headers.get("content-encoding", "identity") != "identity":
                return Failed("encoded", "is compressed although we asked for plain bytes")
        return Ok(bytes(body))
