"""A stateful stand-in for PayPal's payments over real HTTP, after the public API description and PayPal's rules.

Request ids answer with what was made first for 45 days by this server's own clock; an `invoice_id` is refunded once
ever; amounts must be decimal strings with the places that their currency has; tokens run out.
"""

import asyncio
import base64
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import uuid4

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

CLIENT_ID, SECRET, WEBHOOK_ID = "paypal-client-for-tests", "paypal-secret-for-tests", "WH-TESTS-ONLY"
ID_LIFETIME = timedelta(days=45)
NO_DECIMALS = {"HUF", "JPY", "TWD"}
VALUE = re.compile(r"(?:0|[1-9][0-9]{0,12})(?:\.[0-9]{2})?")


class PayPalFault(StrEnum):
    """What goes wrong with the next refund."""

    RATE_LIMITED = "rate_limited"
    FAIL_BEFORE = "fail_before"
    FAIL_AFTER = "fail_after"  # booked, and answered 500
    STALL_BEFORE = "stall_before"
    STALL_AFTER = "stall_after"  # booked, and nobody is told
    DROP_AFTER = "drop_after"
    PENDING = "pending"


@dataclass
class PayPalCapture:
    """A captured payment in minor units of PayPal's own counting (whole units for currencies without decimals)."""

    amount: int
    currency: str
    order_id: str | None
    refunds: list[dict[str, Any]] = field(default_factory=list)

    @property
    def refunded(self) -> int:
        counted = [refund for refund in self.refunds if refund["status"] in {"COMPLETED", "PENDING"}]
        return sum(minor(refund["amount"]["value"], self.currency) or 0 for refund in counted)


@dataclass
class PayPalServer:
    """`faults` of the refunds to come, in order; `now` moves only when told to; `signed` are events it has signed."""

    captures: dict[str, PayPalCapture] = field(default_factory=dict)
    faults: list[PayPalFault] = field(default_factory=list)
    made: dict[str, tuple[datetime, str, dict[str, Any]]] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    tokens: dict[str, datetime] = field(default_factory=dict)
    signed_ids: dict[str, bytes] = field(default_factory=dict)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    base_url: str = ""
    verifies: bool = True
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, capture_id: str, amount: int, currency: str = "EUR") -> PayPalCapture:
        """A payment that was captured."""
        made = self.captures[capture_id] = PayPalCapture(amount, currency, f"ORDER-{capture_id}")
        return made

    @property
    def booked(self) -> list[dict[str, Any]]:
        """Every refund, oldest first."""
        return [refund for capture in self.captures.values() for refund in capture.refunds]

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/oauth2/token", self._token, methods=["POST"]),
                Route("/v2/payments/captures/{id}", self._capture),
                Route("/v2/payments/captures/{id}/refund", self._refund, methods=["POST"]),
                Route("/v2/checkout/orders/{id}", self._order),
                Route("/v1/notifications/verify-webhook-signature", self._verify, methods=["POST"]),
            ]
        )

    async def _token(self, request: Request) -> Response:
        self.requests.append(("POST", request.url.path))
        expected = base64.b64encode(f"{CLIENT_ID}:{SECRET}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {expected}":
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        token = f"A21AA{uuid4().hex}"
        self.tokens[token] = self.now + timedelta(hours=9)
        return JSONResponse({"access_token": token, "token_type": "Bearer", "expires_in": 32_400})

    def _refusal(self, request: Request) -> Response | None:
        self.requests.append((request.method, request.url.path))
        until = self.tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        if until is None or until <= self.now:
            return problem(401, "AUTHENTICATION_FAILURE", "")
        return None

    async def _capture(self, request: Request) -> Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        capture = self.captures.get(request.path_params["id"])
        if capture is None:
            return problem(404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")
        status = "COMPLETED" if not capture.refunded else "PARTIALLY_REFUNDED"
        shown: dict[str, Any] = {"id": request.path_params["id"], "status": status}
        if capture.order_id is not None:
            shown["supplementary_data"] = {"related_ids": {"order_id": capture.order_id}}
        return JSONResponse(shown)

    async def _order(self, request: Request) -> Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        order_id = request.path_params["id"]
        found = [capture for capture in self.captures.values() if capture.order_id == order_id]
        if not found:
            return problem(404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")
        units = [{"reference_id": "default", "payments": {"refunds": capture.refunds}} for capture in found]
        return JSONResponse({"id": order_id, "status": "COMPLETED", "purchase_units": units})

    async def _refund(self, request: Request) -> Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        request_id = request.headers.get("paypal-request-id", str(uuid4()))
        known = self.made.get(request_id)
        if known is not None and self.now - known[0] < ID_LIFETIME:
            return JSONResponse(known[2], status_code=200)
        fault = self.faults.pop(0) if self.faults else None
        if fault is PayPalFault.RATE_LIMITED:
            return problem(429, "RATE_LIMIT_REACHED", "")
        if fault is PayPalFault.FAIL_BEFORE:
            return problem(500, "INTERNAL_SERVER_ERROR", "")
        if fault is PayPalFault.STALL_BEFORE:
            await self._stall()
        return await self._book(request, request_id, fault)

    async def _stall(self) -> None:
        self.reached.set()
        await asyncio.sleep(60)

    async def _book(self, request: Request, request_id: str, fault: PayPalFault | None) -> Response:
        capture_id = request.path_params["id"]
        body = await request.json()
        refusal = self._objection(capture_id, body)
        if refusal is not None:
            return refusal
        made: dict[str, Any] = {
            "id": uuid4().hex[:17].upper(),
            "status": "PENDING" if fault is PayPalFault.PENDING else "COMPLETED",
            "amount": body["amount"],
            "custom_id": body.get("custom_id", ""),
            "invoice_id": body.get("invoice_id", ""),
            "create_time": self.now.isoformat(),
            "links": [{"rel": "up", "method": "GET", "href": f"{self.base_url}/v2/payments/captures/{capture_id}"}],
        }
        self.captures[capture_id].refunds.append(made)
        self.made[request_id] = (self.now, capture_id, made)
        if fault is PayPalFault.STALL_AFTER:
            await self._stall()
        if fault is PayPalFault.DROP_AFTER:
            raise ConnectionAbortedError
        if fault is PayPalFault.FAIL_AFTER:
            return problem(500, "INTERNAL_SERVER_ERROR", "")
        return JSONResponse(made, status_code=201)

    def _objection(self, capture_id: str, body: dict[str, Any]) -> Response | None:
        capture = self.captures.get(capture_id)
        if capture is None:
            return problem(404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")
        amount = body.get("amount", {})
        asked = minor(amount.get("value"), amount.get("currency_code", ""))
        if asked is None or asked <= 0:
            return problem(400, "INVALID_REQUEST", "INVALID_STRING_LENGTH" if asked is None else "CANNOT_BE_ZERO")
        if amount["currency_code"] != capture.currency:
            return problem(422, "UNPROCESSABLE_ENTITY", "REFUND_CAPTURE_CURRENCY_MISMATCH")
        invoices = {refund["invoice_id"] for refund in self.booked if refund["invoice_id"]}
        if body.get("invoice_id") in invoices:
            return problem(422, "UNPROCESSABLE_ENTITY", "DUPLICATE_REFUND")
        left = capture.amount - capture.refunded
        if left <= 0:
            return problem(422, "UNPROCESSABLE_ENTITY", "CAPTURE_FULLY_REFUNDED")
        return problem(422, "UNPROCESSABLE_ENTITY", "REFUND_AMOUNT_EXCEEDED") if asked > left else None

    async def _verify(self, request: Request) -> Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        if not self.verifies:
            return problem(500, "INTERNAL_SERVER_ERROR", "")
        asked, raw = await request.json(), await request.body()
        event = self.signed_ids.get(asked["transmission_id"])
        genuine = (
            event is not None
            and raw.endswith(b'"webhook_event": ' + event + b"}")
            and asked["transmission_sig"] == f"sig-{asked['transmission_id']}"
            and asked["webhook_id"] == WEBHOOK_ID
        )
        return JSONResponse({"verification_status": "SUCCESS" if genuine else "FAILURE"})

    def event(self, kind: str, resource: dict[str, Any]) -> dict[str, Any]:
        """An event as it would be delivered; made a second later than the one before."""
        self.now += timedelta(seconds=1)
        return {
            "id": f"WH-{uuid4().hex[:17].upper()}",
            "event_type": kind,
            "resource_type": "refund",
            "create_time": self.now.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "resource": dict(resource),
        }

    def signed(self, raw: bytes) -> dict[str, str]:
        """Sign a delivery of this body; returns its headers."""
        transmission = str(uuid4())
        self.signed_ids[transmission] = raw
        return {
            "paypal-transmission-id": transmission,
            "paypal-transmission-time": self.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "paypal-transmission-sig": f"sig-{transmission}",
            "paypal-cert-url": "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1",
            "paypal-auth-algo": "SHA256withRSA",
            "content-type": "application/json",
        }


def minor(value: object, currency: str) -> int | None:
    """A decimal string in the smallest unit PayPal counts in; None for what is not one."""
    if not isinstance(value, str) or not VALUE.fullmatch(value) or not re.fullmatch("[A-Z]{3}", currency):
        return None
    if currency in NO_DECIMALS:
        return None if "." in value else int(value)
    return int(value.replace(".", "")) if "." in value else int(value) * 100


def problem(status: int, name: str, issue: str) -> Response:
    details = [{"issue": issue, "description": "…"}] if issue else []
    return JSONResponse({"name": name, "message": "…", "debug_id": "1", "details": details}, status_code=status)
