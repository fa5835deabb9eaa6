"""A stateful stand-in for Stripe's refunds over real HTTP, after the public API description; the SDK talks to it.

Idempotency as described: the first status and body of a key are stored, a 500 as well; a 429 is not; other parameters
under the same key are an error; a key in use is a conflict; keys are forgotten after a day by this server's own clock.
"""

import asyncio
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

KEY = "sk_test_0000000000000000000000tests"
WEBHOOK_SECRET = "whsec_a_stripe_secret_for_tests_only"
KEY_LIFETIME = timedelta(hours=24)
ANSWERED = ("amount", "charge", "payment_intent", "reason")


class StripeFault(StrEnum):
    """What goes wrong with the next refund."""

    RATE_LIMITED = "rate_limited"
    FAIL_BEFORE = "fail_before"
    FAIL_AFTER = "fail_after"  # booked, and the 500 is stored
    STALL_BEFORE = "stall_before"
    STALL_AFTER = "stall_after"  # booked, and nobody is told
    DROP_AFTER = "drop_after"
    PENDING = "pending"


@dataclass
class StripePayment:
    """A payment intent with its one charge, in Stripe's own units."""

    amount: int
    currency: str
    refunds: list[dict[str, Any]] = field(default_factory=list)

    @property
    def refunded(self) -> int:
        return sum(refund["amount"] for refund in self.refunds if refund["status"] not in {"failed", "canceled"})


@dataclass(frozen=True)
class Stored:
    """What a key was used for, and what came of it; without an answer it is in use."""

    params: tuple[tuple[str, str], ...]
    at: datetime
    answer: tuple[int, dict[str, Any]] | None


@dataclass
class StripeServer:
    """`payments` by payment intent; `faults` of the refunds to come, in order; `now` moves only when told to."""

    payments: dict[str, StripePayment] = field(default_factory=dict)
    faults: list[StripeFault] = field(default_factory=list)
    keys: dict[str, Stored] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    page: int = 100
    base_url: str = ""
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, payment_intent: str, amount: int, currency: str = "eur") -> StripePayment:
        """A payment that was made."""
        made = self.payments[payment_intent] = StripePayment(amount, currency)
        return made

    @property
    def booked(self) -> list[dict[str, Any]]:
        """Every refund, oldest first."""
        return [refund for payment in self.payments.values() for refund in payment.refunds]

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/refunds", self._create, methods=["POST"]),
                Route("/v1/refunds", self._list, methods=["GET"]),
                Route("/v1/payment_intents/{id}", self._payment_intent),
                Route("/v1/charges/{id}", self._charge),
            ]
        )

    def _refusal(self, request: Request) -> Response | None:
        self.requests.append((request.method, request.url.path))
        if request.headers.get("authorization") == f"Bearer {KEY}":
            return None
        return problem(401, "invalid_request_error", "", "Invalid API Key provided: sk_test_****ests")

    def _payment(self, reference: str) -> StripePayment | None:
        return self.payments.get(reference) or self.payments.get(f"pi_{reference.removeprefix('ch_')}")

    async def _payment_intent(self, request: Request) -> Response:
        return self._refusal(request) or self._shown(request, "payment_intent")

    async def _charge(self, request: Request) -> Response:
        return self._refusal(request) or self._shown(request, "charge")

    def _shown(self, request: Request, kind: str) -> Response:
        payment = self._payment(request.path_params["id"])
        if payment is None:
            return missing(kind, request.path_params["id"])
        shown = {
            "id": request.path_params["id"],
            "object": kind,
            "amount": payment.amount,
            "currency": payment.currency,
        }
        return JSONResponse(shown | {"amount_refunded": payment.refunded})

    async def _create(self, request: Request) -> Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        params = tuple(sorted(parse_qsl((await request.body()).decode(), keep_blank_values=True)))
        key = request.headers.get("idempotency-key", str(uuid4()))
        known = self.keys.get(key)
        if known is not None and self.now - known.at < KEY_LIFETIME:
            return self._replayed(known, params)
        fault = self.faults.pop(0) if self.faults else None
        if fault is StripeFault.RATE_LIMITED:
            return problem(429, "invalid_request_error", "rate_limit", "Too many requests")
        self.keys[key] = Stored(params, self.now, None)
        if fault is StripeFault.STALL_BEFORE:
            await self._stall()
        answer = self._done(dict(params), fault)
        self.keys[key] = Stored(params, self.now, answer)
        if fault is StripeFault.STALL_AFTER:
            await self._stall()
        if fault is StripeFault.DROP_AFTER:
            raise ConnectionAbortedError
        return JSONResponse(answer[1], status_code=answer[0])

    async def _stall(self) -> None:
        self.reached.set()
        await asyncio.sleep(60)

    def _replayed(self, known: Stored, params: tuple[tuple[str, str], ...]) -> Response:
        if known.params != params:
            return problem(400, "idempotency_error", "", "Keys for idempotent requests can only be used with the same")
        if known.answer is None:
            return problem(409, "idempotency_error", "idempotency_key_in_use", "There is another request in progress")
        return JSONResponse(known.answer[1], known.answer[0], headers={"idempotent-replayed": "true"})

    def _done(self, params: dict[str, str], fault: StripeFault | None) -> tuple[int, dict[str, Any]]:
        broken = (500, {"error": {"type": "api_error", "message": "An error occurred"}})
        if fault is StripeFault.FAIL_BEFORE:
            return broken
        refusal = self._objection(params)
        if refusal is not None:
            return 400 if refusal["code"] != "resource_missing" else 404, {"error": refusal}
        made = self._book(params, "pending" if fault is StripeFault.PENDING else "succeeded")
        return broken if fault is StripeFault.FAIL_AFTER else (200, made)

    def _objection(self, params: dict[str, str]) -> dict[str, str] | None:
        unknown = [name for name in params if name not in ANSWERED and not name.startswith("metadata[")]
        reference = params.get("payment_intent") or params.get("charge") or ""
        payment = self._payment(reference)
        if unknown:
            return fault_of("parameter_unknown", f"Received unknown parameter: {unknown[0]}")
        if payment is None:
            return fault_of("resource_missing", f"No such payment: '{reference}'")
        if not params.get("amount", "1").isdigit() or int(params.get("amount", "1")) < 1:
            return fault_of("parameter_invalid_integer", "This value must be greater than or equal to 1.")
        left = payment.amount - payment.refunded
        if left <= 0:
            return fault_of("charge_already_refunded", "Charge has already been refunded.")
        if int(params.get("amount", left)) > left:
            return fault_of("amount_too_large", "Refund amount is greater than unrefunded amount on charge")
        return None

    def _book(self, params: dict[str, str], status: str) -> dict[str, Any]:
        reference = params.get("payment_intent") or params["charge"]
        payment = self._payment(reference)
        assert payment is not None
        intent = f"pi_{reference.removeprefix('ch_').removeprefix('pi_')}"
        made: dict[str, Any] = {
            "id": f"re_{uuid4().hex[:24]}",
            "object": "refund",
            "amount": int(params.get("amount", payment.amount - payment.refunded)),
            "currency": payment.currency,
            "charge": f"ch_{intent.removeprefix('pi_')}",
            "payment_intent": intent,
            "metadata": {
                name.removeprefix("metadata[").rstrip("]"): value
                for name, value in params.items()
                if name.startswith("metadata[")
            },
            "status": status,
            "created": int(self.now.timestamp()),
        }
        payment.refunds.append(made)
        return made

    async def _list(self, request: Request) -> Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        asked = request.query_params
        reference = asked.get("payment_intent") or asked.get("charge") or ""
        payment = self._payment(reference)
        if payment is None:
            return missing("payment", reference)
        newest = payment.refunds[::-1]
        after = asked.get("starting_after")
        start = next((index + 1 for index, refund in enumerate(newest) if refund["id"] == after), 0)
        size = min(self.page, int(asked.get("limit", 10)))
        found = {"object": "list", "url": "/v1/refunds", "data": newest[start : start + size]}
        return JSONResponse(found | {"has_more": start + size < len(newest)})

    def failed(self, refund: dict[str, Any], reason: str = "expired_or_canceled_card") -> dict[str, Any]:
        """Let a refund fail afterwards, as banks do; returns its event."""
        refund.update(status="failed", failure_reason=reason)
        return self.event("refund.failed", refund)

    def event(self, kind: str, subject: dict[str, Any]) -> dict[str, Any]:
        """An event as it would be delivered; made a second later than the one before."""
        self.now += timedelta(seconds=1)
        created = int(self.now.timestamp())
        return {
            "id": f"evt_{uuid4().hex[:24]}",
            "object": "event",
            "type": kind,
            "created": created,
            "livemode": False,
            "data": {"object": dict(subject)},
        }


def signed(
    event: dict[str, Any], *, at: datetime | None = None, secret: str = WEBHOOK_SECRET
) -> tuple[bytes, dict[str, str]]:
    """Body and headers of a delivery."""
    raw = json.dumps(event).encode()
    stamp = str(int((at or datetime.now(UTC)).timestamp()))
    mac = hmac.new(secret.encode(), f"{stamp}.".encode() + raw, hashlib.sha256).hexdigest()
    return raw, {"stripe-signature": f"t={stamp},v1={mac}", "content-type": "application/json"}


def fault_of(code: str, message: str) -> dict[str, str]:
    return {"type": "invalid_request_error", "code": code, "message": message}


def problem(status: int, kind: str, code: str, message: str) -> Response:
    error = {"type": kind, "message": message} | ({"code": code} if code else {})
    return JSONResponse({"error": error}, status_code=status)


def missing(kind: str, reference: str) -> Response:
    return problem(404, "invalid_request_error", "resource_missing", f"No such {kind}: '{reference}'")
