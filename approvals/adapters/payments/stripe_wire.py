"""The wire under Stripe's SDK: one request over httpx, none repeated, redirects not followed; it reads no body."""

from collections.abc import Mapping
from typing import NoReturn

import httpx
import stripe


class StripeWire(stripe.HTTPClient):
    """For async calls only; the SDK's own httpx client sends bodies in a way that httpx deprecates."""

    name = "httpx"

    def __init__(self, *, timeout_seconds: float) -> None:
        super().__init__()
        self._http = httpx.AsyncClient(timeout=timeout_seconds, follow_redirects=False)

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: str | None = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Make the request once."""
        try:
            answer = await self._http.request(method, url, headers=headers, content=post_data or None)
        except httpx.HTTPError as error:
            _lost(error)
        return answer.content, answer.status_code, answer.headers

    async def close_async(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def _lost(error: httpx.HTTPError) -> NoReturn:
    """Name the kind of error only: its text may quote a URL."""
    told = f"no answer: {type(error).__name__}"
    raise stripe.APIConnectionError(told) from error  # type: ignore[no-untyped-call] # the SDK types it not
