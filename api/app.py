"""The ASGI application around a container: routes, edge, errors, lifespan; it chooses no adapter."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from types import ModuleType
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from api.choices import Privilege
from api.console import routes as console
from api.console.routing import HOME
from api.container import Container
from api.deps import cookie_name
from api.edge import Edge
from api.errors import http_error, support_error, validation_error
from api.routes import (
    approvals,
    asking,
    dispatch,
    health,
    metrics,
    provider_events,
    quarantine,
    sessions,
    slack,
    tickets,
    webhooks,
)
from api.schemas import Problem
from api.telemetry.metrics import Metrics
from api.telemetry.requests import CountedRequests
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE

# What `/webhooks/{source}` would take for a helpdesk comes before it.
_ROUTERS = (
    provider_events,
    webhooks,
    sessions,
    tickets,
    approvals,
    asking,
    dispatch,
    quarantine,
    health,
    metrics,
    slack,
)
# Where privileges are separated; the one that decides has all others, and no secret of a webhook or a provider.
_DOORS: Mapping[Privilege, Sequence[ModuleType]] = {
    Privilege.INTAKE: (webhooks, health),
    Privilege.ACT: (provider_events, health),
}
_QUIET: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}


class SupportApi(FastAPI):
    """FastAPI whose OpenAPI document names our problem documents and both ways to be recognised."""

    def openapi(self) -> dict[str, Any]:
        """Return the document, made once."""
        made = self.openapi_schema is not None
        schema = super().openapi()
        if not made:
            components = schema.setdefault("components", {})
            components.setdefault("schemas", {})["Problem"] = Problem.model_json_schema()
            components["securitySchemes"] = {
                "bearer": {"type": "http", "scheme": "bearer", "description": "Reads and cancels within its scopes."},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": cookie_name(self.state.container),
                    "description": "A person's session; what changes something also wants the X-CSRF-Token header.",
                },
            }
        return schema


def create_app(container: Container) -> FastAPI:
    """Return the application; its lifespan opens the container and runs the worker beside the requests."""
    app = SupportApi(
        title="support-agents",
        version="0.1.0",
        summary="Grounded, checked support replies; nothing leaves without a person's approval of the exact bytes.",
        openapi_url="/v1/openapi.json",
        docs_url=None,  # both pages load scripts from elsewhere
        redoc_url=None,
        lifespan=_lifespan,
        telemetry=_QUIET,  # spans are made from records after the commit
    )
    app.state.container = container
    app.add_exception_handler(SupportError, support_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, validation_error)
    app.add_middleware(Edge, now=container.clock.now, secure=container.settings.url.startswith("https://"))
    found = app.state.metrics = Metrics(container.database, container.admission.pressure)
    app.add_middleware(CountedRequests, requests=found.instruments.requests, sources=frozenset(container.intakes))
    _admit(app, container.settings.privilege)
    return app


def _admit(app: FastAPI, privilege: Privilege | None) -> None:
    """Open the doors that the process's privilege is for: what it may not do it does not offer."""
    routers: Sequence[ModuleType] = _ROUTERS if privilege is None else _DOORS.get(privilege, _ROUTERS)
    for routes in routers:
        app.include_router(routes.router)
    if privilege in {None, Privilege.DECIDE}:
        app.include_router(console.router)
        app.add_api_route("/", _to_console, include_in_schema=False)


async def _to_console() -> Response:
    return RedirectResponse(HOME)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    container: Container = app.state.container
    await container.open()
    await container.asking.rehearse(DEFAULT_WORKSPACE)
    container.worker.start()
    slack = container.slack
    if slack is not None and slack.socket is not None:
        await slack.socket.start()
    yield
    if slack is not None and slack.socket is not None:
        await slack.socket.stop()
    await container.worker.stop()
    if slack is not None:
        await slack.afterwards.drain()
    await container.close()
