"""Slack over a socket of our own making, for people without a public URL: the same clicks by the same path."""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, cast

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from approvals.adapters.slack.interactions import Reader
from approvals.deliveries import Deliveries
from approvals.interactions import Clicking, Ignored, Later, Told, Unreadable
from support_agents.domain.errors import SupportError

# The library's own log would quote what people wrote.
_SILENT = logging.getLogger("approvals.adapters.slack.socket")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False

# Answers after which asking again with the same token is no use.
_HOPELESS = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "not_allowed_token_type", "missing_scope"}
)
_LONGEST_PAUSE = 60.0

Afterwards = Callable[[str, Sequence[Later]], None]


@dataclass
class SlackSocket:
    """One connection that makes itself anew; an envelope is acknowledged once what it decides is committed.

    `now` runs what people wait for, `afterwards` what is shown once there is room for it.
    """

    app_token: str
    reader: Reader
    deliveries: Deliveries
    clicks: Clicking
    now: Afterwards
    afterwards: Afterwards
    base_url: str = AsyncWebClient.BASE_URL
    ping_seconds: float = 5
    _client: SocketModeClient | None = field(default=None, init=False)

    async def start(self) -> None:
        """Begin to connect; returns at once. A token that Slack refuses is reported once and not tried again."""
        web = AsyncWebClient(base_url=self.base_url, logger=_SILENT)
        client = SocketModeClient(
            app_token=self.app_token, web_client=web, logger=_SILENT, ping_interval=self.ping_seconds
        )
        client.socket_mode_request_listeners.append(self._arrived)
        self._client = client
        self.now("slack_socket_connect", (partial(self._connect, client, web),))

    async def stop(self) -> None:
        """Close the connection for good."""
        client, self._client = self._client, None
        if client is not None:
            await cast("Any", client).close()

    async def connected(self) -> bool:
        """Whether the socket is up now."""
        return self._client is not None and await self._client.is_connected()

    async def _connect(self, client: SocketModeClient, web: AsyncWebClient) -> None:
        """Ask for an address until there is one; from then on the library keeps the connection."""
        pause = 1.0
        while self._client is client:
            try:
                opened = await web.apps_connections_open(app_token=self.app_token)
                client.wss_uri = opened["url"]
                await cast("Any", client).connect()
            except SlackApiError as error:
                code = str(error.response.get("error", "unknown"))[:60]
                if code in _HOPELESS:
                    raise SupportError("slack_refused", "Slack refused the app token; make a new one") from None
            except (ClientError, TimeoutError, OSError):
                pass  # not reachable: asked again below
            else:
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _arrived(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        """Take envelopes beside one another: a slow one keeps nobody waiting."""
        self.now("slack_socket", (partial(self._taken, client, request),))

    async def _taken(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        """Decide, acknowledge, then show. What fails is not acknowledged: Slack tells the person so."""
        told, came = self._told(request.type, request.payload), time.monotonic()
        if not await self._first(request):
            await client.send_socket_mode_response(SocketModeResponse(request.envelope_id))
            return
        answer = await self.clicks.take(told, waited=timedelta(seconds=time.monotonic() - came))
        response = SocketModeResponse(request.envelope_id, payload=dict(answer.body) or None)
        with suppress(ConnectionError, ClientError):  # the decision stands, whether Slack hears of it or not
            await client.send_socket_mode_response(response)
        self.afterwards("slack_shown", answer.later)
        if isinstance(told, Unreadable):
            raise SupportError("bad_request", f"an envelope has no shape that we know: {told.reason}")

    async def _first(self, request: SocketModeRequest) -> bool:
        """An envelope, or an event that Slack sends again, is taken once by whichever process gets it."""
        event_id = Reader.event_id(json.dumps(request.payload)) if request.type == "events_api" else ""
        return await self.deliveries.first_event(event_id or f"envelope {request.envelope_id}")

    def _told(self, kind: str, payload: Mapping[str, Any]) -> Told:
        match kind:
            case "interactive":
                return self.reader.interactivity(json.dumps(payload))
            case "events_api":
                return self.reader.event(json.dumps(payload))
            case "slash_commands":
                return self.reader.command(payload)
            case _:
                return Ignored(f"envelope of type {kind[:40]}")
