"""PayPal's OAuth token, fetched when needed and kept in memory until shortly before it ends; it is never logged."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
from pydantic import BaseModel, ConfigDict

from approvals.adapters.payments.paypal_wire import read

MARGIN_SECONDS = 60.0


class NotAuthenticatedError(Exception):
    """PayPal gave out no token."""


class _Token(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    access_token: str
    expires_in: float


@dataclass
class PayPalToken:
    """One token at a time, whoever asks; `monotonic` is in seconds."""

    http: httpx.AsyncClient = field(repr=False)
    client_id: str
    secret: str = field(repr=False)
    monotonic: Callable[[], float] = time.monotonic
    _value: str = field(default="", repr=False)
    _until: float = 0.0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    async def value(self) -> str:
        """Return a token that is good for another minute, or raise."""
        async with self._lock:
            if not self._value or self.monotonic() >= self._until:
                await self._fetch()
            return self._value

    def forget(self) -> None:
        """Have the next one fetched anew."""
        self._value = ""

    async def _fetch(self) -> None:
        answer = await self.http.post(
            "/v1/oauth2/token",
            data={"grant_type": "client_credentials"},
            auth=httpx.BasicAuth(self.client_id, self.secret),
        )
        if answer.is_server_error:
            answer.raise_for_status()
        token = read(_Token, answer)
        if token is None:
            raise NotAuthenticatedError
        self._value = token.access_token
        self._until = self.monotonic() + token.expires_in - MARGIN_SECONDS
