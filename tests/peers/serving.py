"""Serves a stand-in's HTTP application on a free loopback port; it knows no vendor."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

import uvicorn
from starlette.applications import Starlette


class Peer(Protocol):
    """A stand-in: its application, and where it is to be found once it is served."""

    base_url: str

    def app(self) -> Starlette: ...


P = TypeVar("P", bound=Peer)


@asynccontextmanager
async def serving(peer: P, *, port: int = 0) -> AsyncIterator[P]:
    """Serve until left."""
    listener = socket.create_server(("127.0.0.1", port))
    config = uvicorn.Config(peer.app(), log_level="critical", lifespan="off", ws="none", timeout_graceful_shutdown=1)
    running = uvicorn.Server(config)
    task = asyncio.create_task(running.serve(sockets=[listener]))
    peer.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    while not running.started:  # noqa: ASYNC110 - uvicorn offers no event
        await asyncio.sleep(0.01)
    try:
        yield peer
    finally:
        running.should_exit = True
        await task
        listener.close()
