"""Whose word counts for a peer's address: the connection's, and a proxy's only where the settings name it."""

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.serving import server_config
from api.settings import load

PROXY, STRANGER, CUSTOMER = "127.0.0.1", "203.0.113.9", "198.51.100.7"


async def peer_seen(trusted: str, *, connected: str, says: str) -> tuple[str, str]:
    """The peer's address and the scheme as the application sees them."""
    seen: list[tuple[str, str]] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append((scope["client"][0], scope["scheme"]))

    config = server_config(load({"trusted_proxies": trusted}), app)
    config.load()
    served: ASGIApp = config.loaded_app
    headers = [(b"x-forwarded-for", says.encode()), (b"x-forwarded-proto", b"https")]
    scope = {"type": "http", "method": "GET", "path": "/", "scheme": "http", "client": (connected, 4711)}
    await served(scope | {"headers": headers, "query_string": b""}, _nothing, _nowhere)
    (found,) = seen
    return found


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


async def _nowhere(_message: Message) -> None:
    return None


@pytest.mark.parametrize("connected", [PROXY, STRANGER])
async def test_by_default_nobody_is_believed_not_even_on_this_machine(
    connected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    assert await peer_seen("", connected=connected, says=CUSTOMER) == (connected, "http")


async def test_a_named_proxy_is_believed_and_what_came_to_it_is_not() -> None:
    forged = f"192.0.2.66, {CUSTOMER}"
    assert await peer_seen(PROXY, connected=PROXY, says=forged) == (CUSTOMER, "https")
    assert await peer_seen("10.0.0.0/8", connected="10.1.2.3", says=forged) == (CUSTOMER, "https")


async def test_others_than_the_named_proxy_are_not_believed() -> None:
    assert await peer_seen(PROXY, connected=STRANGER, says=CUSTOMER) == (STRANGER, "http")
