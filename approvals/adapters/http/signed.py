"""Asks the shop's own systems for steps over signed HTTP, once a call; it follows no redirect and reads no long answer.

Requests are signed as Standard Webhooks (`webhook-id` is the idempotency key, repeated as `Idempotency-Key`). The
receiver answers 2xx when the step is done, 409 when the world has moved on, another 4xx for a no. What became of an
action it tells at the status address: `{"status": "done", "reference": …}`, or `absent`, `pending`, `failed`. Only
`absent` in so many words is taken for absence: a 404 may as well be a mistake in an address.
"""

import base64
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from approvals.adapters.http.addresses import Addresses, RefusedAddressError
from approvals.ports import Absent, Conflict, Found, NotNow, Performed, Receipt, Refused, StepOrder, Unknown
from approvals.rendering import one_line
from support_agents.domain.errors import SupportError

LONGEST_BODY = 64 * 1024
LONGEST_ANSWER = 64 * 1024
_NO_ANSWER = {401, 403, 408, 425, 429}


class _Status(StrEnum):
    DONE = "done"
    ABSENT = "absent"
    PENDING = "pending"
    FAILED = "failed"


class _Done(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    reference: str = ""


class _Told(_Done):
    status: _Status
    reason: str = ""


class _TooLongError(Exception):
    """The answer is longer than any that we asked for."""


@dataclass(frozen=True)
class SignedHttpGateway:
    """`key` signs; `addresses` decides whom it may connect to."""

    http: httpx.AsyncClient = field(repr=False)
    key: bytes = field(repr=False)
    addresses: Addresses
    is_live: bool
    now: Callable[[], float] = time.time

    @classmethod
    def open(
        cls, secret: str, *, addresses: Addresses, is_live: bool, timeout_seconds: float = 20.0
    ) -> "SignedHttpGateway":
        """Make a gateway; proxies of the environment are not used, for they would choose whom it reaches."""
        http = httpx.AsyncClient(timeout=timeout_seconds, follow_redirects=False, trust_env=False)
        return cls(http, _key_of(secret), addresses, is_live)

    @property
    def live(self) -> bool:
        """Whether the steps are real."""
        return self.is_live

    async def ask(self, order: StepOrder) -> Performed:
        """Post the approved body as it is."""
        body = order.body.encode()
        if len(body) > LONGEST_BODY:
            return Refused("too_large", "the request is longer than any step needs")
        try:
            request = await self._request("POST", order.url, order.key, body)
        except RefusedAddressError as error:
            return Refused("address", str(error))
        except OSError as error:
            return NotNow(f"its host has no address now: {type(error).__name__}")
        try:
            status, content = await self._answer(request)
        except httpx.ConnectError as error:
            return NotNow(f"it could not be reached: {type(error).__name__}")
        except (httpx.HTTPError, _TooLongError) as error:
            return Unknown(f"no answer that can be read: {type(error).__name__}")
        return _performed(status, content, order.key)

    async def find(self, status_url: str) -> Found | Refused:
        """Ask what became of the action."""
        try:
            request = await self._request("GET", status_url, f"status.{int(self.now() * 1000)}", b"")
            status, content = await self._answer(request)
        except (httpx.HTTPError, _TooLongError, RefusedAddressError, OSError) as error:
            return Unknown(f"it could not be asked: {type(error).__name__}")
        try:
            told = _Told.model_validate_json(content)
        except ValidationError:
            return Unknown(f"it answered {status}, and not with a status that is known")
        match told.status:
            case _Status.DONE:
                return Receipt(one_line(told.reference) or "done")
            case _Status.ABSENT:
                return Absent()
            case _Status.PENDING:
                return Unknown("it is still at it")
            case _Status.FAILED:
                return Refused("provider_failed", f"it says that it failed: {one_line(told.reason) or 'no reason'}")

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()

    async def _request(self, method: str, url: str, key: str, body: bytes) -> httpx.Request:
        """Address the very machine whose address was checked, by the name that its certificate must have."""
        host, at = await self.addresses.resolve(url)
        target = httpx.URL(url).copy_with(host=at)
        headers = {
            **self._signed(key, body),
            "Host": httpx.URL(url).netloc.decode(),
            "Content-Type": "application/json",
        }
        return self.http.build_request(
            method, target, content=body, headers=headers, extensions={"sni_hostname": host, **self._timeouts()}
        )

    def _timeouts(self) -> Mapping[str, object]:
        return {"timeout": self.http.timeout.as_dict()}

    async def _answer(self, request: httpx.Request) -> tuple[int, bytes]:
        answer = await self.http.send(request, stream=True)
        try:
            content = b""
            async for part in answer.aiter_bytes():
                content += part
                if len(content) > LONGEST_ANSWER:
                    raise _TooLongError
        finally:
            await answer.aclose()
        return answer.status_code, content

    def _signed(self, key: str, body: bytes) -> dict[str, str]:
        stamp = str(int(self.now()))
        signature = hmac.digest(self.key, f"{key}.{stamp}.".encode() + body, "sha256")
        return {
            "webhook-id": key,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
            "Idempotency-Key": key,
        }


def _key_of(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        key = b""
    if not key or not secret.startswith("whsec_"):
        raise SupportError(
            "settings", "SUPPORT_STEP_SECRET is `whsec_` and base64; make one and give it to the receiver"
        )
    return key


def _performed(status: int, content: bytes, key: str) -> Performed:
    if httpx.codes.is_success(status):
        return Receipt(_reference(content) or key)
    if status == httpx.codes.CONFLICT:
        return Conflict("the shop's system says that things have changed")
    if httpx.codes.is_redirect(status):
        return Refused(
            "redirect", f"it answered {status}: redirects are not followed, mend the address in the settings"
        )
    if httpx.codes.is_client_error(status) and status not in _NO_ANSWER:
        return Refused(f"http_{status}", f"the shop's system says no ({status})")
    return Unknown(f"the shop's system answered {status}")


def _reference(content: bytes) -> str:
    try:
        return one_line(_Done.model_validate(json.loads(content)).reference)
    except (ValueError, ValidationError, RecursionError):
        return ""
