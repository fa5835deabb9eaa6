"""One server process from settings to its clean end: binds, tells where it listens, serves; it chooses no adapter."""

import asyncio
import errno
import logging as stdlib_logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from api import logging, server_file
from api.app import create_app
from api.bootstrap import build
from api.choices import Role
from api.heap import settle
from api.secret_key import make_data_dir
from api.separation import check_work
from api.server_file import RunningServer
from api.settings import Settings
from support_agents.domain.errors import SupportError

GRACE_SECONDS = 10

Announce = Callable[[Settings], None]


class _Server(uvicorn.Server):
    """Tells when it listens and, before anything else, when it stops."""

    def __init__(self, config: uvicorn.Config, *, began: Callable[[], None], ended: Callable[[], None]) -> None:
        super().__init__(config)
        self._began = began
        self._ended = ended

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then announce."""
        await super().startup(sockets)
        if self.started:
            settle()
            self._began()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Withdraw the announcement, then let requests and the worker end."""
        self._ended()
        await super().shutdown(sockets)


def serve(settings: Settings, announce: Announce, role: Role = Role.SERVE) -> None:
    """Serve until SIGINT or SIGTERM; `announce` gets the settings with the port that was really taken.

    With all the work, or as one API among others, which share a data folder and leave no file to be found by.
    """
    logging.configure(settings)
    settings.check_role(role)
    check_work(settings.privilege, role)
    make_data_dir(settings.data_dir)
    if role is Role.SERVE:
        refuse_second(settings)
    stdlib_logging.getLogger("uvicorn").setLevel(stdlib_logging.CRITICAL)  # a failed start is told once, by us
    with bound(settings) as listener:
        taken = settings.model_copy(update={"port": listener.getsockname()[1]})
        _run(taken, listener, announce, role)


def refuse_second(settings: Settings) -> None:
    """Raise when another server already has this data folder."""
    other = server_file.read(settings.data_dir)
    if other is not None:
        message = f"a server already has {settings.data_dir}: {other.url} (process {other.pid}); stop it first"
        raise SupportError("already_running", message)


def bound(settings: Settings) -> socket.socket:
    """Return a socket that has the configured address, or say who might have it."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # With the protocol named, asyncio switches Nagle's algorithm off on each connection; else answers wait 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        # Listening now rather than when the application is up: a second server is refused at once.
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise _unbound(settings, error) from error
    return listener


def _unbound(settings: Settings, error: OSError) -> SupportError:
    where = f"{settings.host}:{settings.port}"
    if error.errno == errno.EADDRINUSE:
        message = f"{where} is in use by another program; stop it, or choose another port with --port or SUPPORT_PORT"
        return SupportError("port_in_use", message)
    return SupportError("cannot_listen", f"cannot listen on {where} ({error.strerror}); check --host and --port")


def server_config(settings: Settings, app: ASGIApp) -> uvicorn.Config:
    """Return how the application is served; a peer's address is the connection's, unless a trusted proxy names it."""
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        ws="none",
        # By default it would believe whoever connects from this machine, and the environment besides.
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def _run(settings: Settings, listener: socket.socket, announce: Announce, role: Role) -> None:
    container = build(settings, role)
    app = create_app(container)
    failures: list[Exception] = []
    app.router.lifespan_context = _noting(app.router.lifespan_context, failures)

    def began() -> None:
        if role is Role.SERVE:
            found = RunningServer(_local_url(settings), os.getpid(), container.key.local_token)
            server_file.write(settings.data_dir, found)
        announce(settings)

    def ended() -> None:
        if role is Role.SERVE:
            server_file.remove(settings.data_dir)

    server = _Server(server_config(settings, app), began=began, ended=ended)
    _until_signalled(server, listener, failures)


def _until_signalled(server: _Server, listener: socket.socket, failures: list[Exception]) -> None:
    """Run to the end; the signal that ended it is not raised again, for that end is a clean one."""
    with suppress(KeyboardInterrupt):
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            asyncio.run(server.serve(sockets=[listener]))
        except SystemExit:
            raise (failures or [_unstarted()])[0] from None
        finally:
            signal.signal(signal.SIGTERM, before)


def _unstarted() -> SupportError:
    return SupportError("not_started", "the server could not start; run it again with --debug")


Lifespan = Callable[[Any], AbstractAsyncContextManager[Any]]


def _noting(inner: Lifespan, failures: list[Exception]) -> Lifespan:
    """Keep why the start failed; the server itself only tells that it did."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[Any]:
        try:
            async with inner(app) as state:
                yield state
        except Exception as error:  # the edge: the library tells only that the start failed, we tell why
            failures.append(error)
            raise

    return lifespan


def _local_url(settings: Settings) -> str:
    """How this machine reaches the server, whatever browsers use."""
    anywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, never bound
    host = anywhere.get(settings.host, settings.host)
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"
