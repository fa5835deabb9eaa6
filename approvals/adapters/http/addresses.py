"""Whom signed requests may reach: public addresses, and private hosts that settings name; it connects nowhere."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx

from support_agents.domain.addresses import is_public

Resolve = Callable[[str, int], Awaitable[tuple[str, ...]]]


class RefusedAddressError(Exception):
    """The host is not one that may be asked."""


async def by_the_system(host: str, port: int) -> tuple[str, ...]:
    """Return all addresses of a host."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True)
class Addresses:
    """`private` hosts may have any address and plain HTTP; every other needs HTTPS and public addresses only."""

    private: frozenset[str] = frozenset()
    lookup: Resolve = field(default=by_the_system, repr=False)

    async def resolve(self, url: str) -> tuple[str, str]:
        """Return the host and the one address to connect to; raise when it may not be asked."""
        parts = httpx.URL(url)
        host = parts.host
        if host in self.private:
            return host, (await self.lookup(host, parts.port or 443))[0]
        if parts.scheme != "https":
            raise RefusedAddressError(f"{host} is asked over https only")
        found = await self.lookup(host, parts.port or 443)
        if not found or not all(is_public(address) for address in found):
            raise RefusedAddressError(
                f"{host} is in a private range: name it in SUPPORT_STEP_PRIVATE_HOSTS if it may be"
            )
        return host, found[0]
