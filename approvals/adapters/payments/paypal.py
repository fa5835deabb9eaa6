"""Books refunds at PayPal over its REST API, and has it verify its own webhooks; it repeats no refund by itself.

`custom_id` of a refund carries our action, by which it is found among the refunds of the capture's order; `invoice_id`
carries it too, because PayPal refuses a second refund with the same one (DUPLICATE_REFUND) long after request ids are
forgotten. Assumed, not documented: an order shows a refund as soon as the call that made it can have ended.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from approvals.adapters.payments.paypal_token import NotAuthenticatedError, PayPalToken
from approvals.adapters.payments.paypal_wire import (
    AsOrder,
    AsRefund,
    Capture,
    Problem,
    as_paypal_value,
    read,
    read_any,
    same_value,
)
from approvals.ports import Absent, Found, Performed, Receipt, RefundOrder, Refused, Unknown
from approvals.rendering import one_line
from support_agents.domain.ids import ActionId

LIVE_URL, SANDBOX_URL = "https://api-m.paypal.com", "https://api-m.sandbox.paypal.com"
_NOT_NOW = {401, 403, 408, 409, 425, 429}
_FAILED = {"FAILED", "CANCELLED"}
_CERT_HOSTS = (".paypal.com", ".sandbox.paypal.com")
_SIGNED = {
    "auth_algo": "paypal-auth-algo",
    "cert_url": "paypal-cert-url",
    "transmission_id": "paypal-transmission-id",
    "transmission_sig": "paypal-transmission-sig",
    "transmission_time": "paypal-transmission-time",
}


@dataclass(frozen=True)
class PayPalPaymentGateway:
    """`payment_ref` is the id of a capture. Redirects are not followed."""

    http: httpx.AsyncClient = field(repr=False)
    token: PayPalToken = field(repr=False)
    is_live: bool
    name: str = "paypal"

    @classmethod
    def open(
        cls, base_url: str, *, client_id: str, secret: str, is_live: bool, timeout_seconds: float = 20.0
    ) -> "PayPalPaymentGateway":
        """Make a gateway; nothing is asked before it is used."""
        http = httpx.AsyncClient(base_url=base_url, timeout=timeout_seconds, follow_redirects=False)
        return cls(http, PayPalToken(http, client_id, secret), is_live)

    @property
    def live(self) -> bool:
        """Whether real money moves."""
        return self.is_live

    async def refund(self, order: RefundOrder) -> Performed:
        """Book it, always with an explicit amount; PayPal itself refuses more than is left of the capture."""
        value = as_paypal_value(order.amount)
        if value is None:
            return Refused("bad_amount", f"PayPal cannot express {order.amount} as a refund")
        action = str(order.action)
        body = {
            "amount": {"value": value, "currency_code": order.amount.currency},
            "custom_id": action,
            "invoice_id": action,
        }
        headers = {"PayPal-Request-Id": order.key, "Prefer": "return=representation"}
        path = f"/v2/payments/captures/{quote(order.payment_ref, safe='')}/refund"
        try:
            answer = await self._ask("POST", path, json=body, headers=headers)
        except (httpx.HTTPError, NotAuthenticatedError) as error:
            return Unknown(_told(error))
        if not answer.is_success:
            return _refused(answer)
        made = read(AsRefund, answer)
        return Unknown("PayPal answered in a way that cannot be read") if made is None else _booked(made, order, value)

    async def find(self, payment_ref: str, action: ActionId) -> Found | Refused:
        """Look through the refunds of the order that the capture belongs to; one that failed is a refusal."""
        try:
            answer = await self._ask("GET", f"/v2/payments/captures/{quote(payment_ref, safe='')}")
            if answer.status_code == httpx.codes.NOT_FOUND:
                return Absent()
            capture = read(Capture, answer)
            if capture is None:
                return Unknown(f"PayPal answered {answer.status_code} when asked for the payment")
            if capture.order_id is None:
                return Unknown("PayPal does not tell to which order this payment belongs: look at its dashboard")
            answer = await self._ask("GET", f"/v2/checkout/orders/{quote(capture.order_id, safe='')}")
        except (httpx.HTTPError, NotAuthenticatedError) as error:
            return Unknown(_told(error))
        order = read(AsOrder, answer)
        if order is None:
            return Unknown(f"PayPal answered {answer.status_code} when asked for the refunds")
        return _among(order.refunds, action)

    async def verify_webhook(self, raw: bytes, headers: Mapping[str, str], webhook_id: str) -> bool:
        """Have PayPal check its own signature over these very bytes; raises when it does not answer."""
        signed = {name: headers.get(header, "") for name, header in _SIGNED.items()}
        if not all(signed.values()) or not _is_paypals(signed["cert_url"]):
            return False
        # The event goes back as it came: written anew, it might no longer be what was signed.
        known = json.dumps({**signed, "webhook_id": webhook_id}).encode()
        content = known[:-1] + b', "webhook_event": ' + raw + b"}"
        kind = {"Content-Type": "application/json"}
        answer = await self._ask("POST", "/v1/notifications/verify-webhook-signature", content=content, headers=kind)
        if answer.is_client_error and answer.status_code not in _NOT_NOW:
            return False
        answer.raise_for_status()
        verdict = answer.json()
        return isinstance(verdict, dict) and verdict.get("verification_status") == "SUCCESS"

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        **how: Any,  # noqa: ANN401 - httpx's
    ) -> httpx.Response:
        """Ask with a token; one that is no longer accepted is renewed once, for then nothing has happened."""
        answer = await self.http.request(method, path, headers=await self._headers(headers), **how)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self.token.forget()
            answer = await self.http.request(method, path, headers=await self._headers(headers), **how)
        return answer

    async def _headers(self, more: Mapping[str, str] | None) -> dict[str, str]:
        return {**(more or {}), "Authorization": f"Bearer {await self.token.value()}"}


def _among(refunds: tuple[AsRefund, ...], action: ActionId) -> Found | Refused:
    failed: Refused | None = None
    for made in refunds:
        if made.custom_id == str(action):
            if made.status not in _FAILED:
                return Receipt(made.id)
            failed = _failure(made)
    return failed or Absent()


def _booked(made: AsRefund, order: RefundOrder, value: str) -> Performed:
    """Hold the answer against the question: an old answer to another question must not pass for ours."""
    if made.custom_id not in {None, str(order.action)}:
        return Refused("key_reused", "the request id was used for another refund")
    told = made.amount
    if told is not None and not (told.currency_code == order.amount.currency and same_value(told.value, value)):
        return Refused("key_reused", "the request id was used for another amount")
    return _failure(made) if made.status in _FAILED else Receipt(made.id)


def _failure(made: AsRefund) -> Refused:
    return Refused("provider_failed", f"PayPal says that the refund {made.id} came to nothing: {made.status}")


def _refused(answer: httpx.Response) -> Refused | Unknown:
    """A client error is PayPal's no, unless it is about us, about now, or about this refund having been made before."""
    problem = read_any(Problem, answer)
    issue = one_line(problem.issue if problem else "", 60)
    if answer.is_client_error and answer.status_code not in _NOT_NOW and issue != "DUPLICATE_REFUND":
        return Refused(issue.lower() or "refused", f"PayPal says {answer.status_code}: {issue or 'no reason'}")
    return Unknown(f"PayPal answered {answer.status_code} {issue}".rstrip())


def _told(error: httpx.HTTPError | NotAuthenticatedError) -> str:
    if isinstance(error, NotAuthenticatedError):
        return "PayPal does not accept SUPPORT_PAYPAL_CLIENT_ID with SUPPORT_PAYPAL_SECRET"
    return f"PayPal could not be reached, or did not answer ({type(error).__name__})"


def _is_paypals(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" and (parts.hostname or "").endswith(_CERT_HOSTS)
