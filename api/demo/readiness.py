"""Waits until the demo's server can answer with all that it knows; it changes nothing."""

import asyncio

import httpx

from api.demo.server_process import ServerProcess
from support_agents.domain.errors import SupportError

_LONGEST_SECONDS = 60.0
_BETWEEN_LOOKS = 0.05


async def wait_until_ready(http: httpx.AsyncClient, server: ServerProcess) -> None:
    """Return when `/readyz` says so: database, worker and index."""
    told = ""
    try:
        async with asyncio.timeout(_LONGEST_SECONDS):
            while server.running:
                answer = await http.get("/readyz")
                if answer.status_code == httpx.codes.OK:
                    return
                told = answer.text
                await asyncio.sleep(_BETWEEN_LOOKS)
    except TimeoutError:
        raise SupportError("demo_server", f"the demo's server did not become ready: {told[:300]}") from None
    raise server.failure()
