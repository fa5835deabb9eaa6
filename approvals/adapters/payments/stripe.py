"""Books refunds at Stripe with its own SDK; it never repeats a request by itself and never logs a key.

Stripe stores the first status and body of an idempotency key, a 500 as well, and forgets keys after a day: what became
of a refund is therefore read from the list of the payment's refunds (consistent, unlike search), by our action's id in
their metadata. Assumed, not documented: the list holds a refund as soon as the call that made it can have ended.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import stripe

from approvals.adapters.payments.stripe_wire import StripeWire
from approvals.ports import Absent, Found, Performed, Receipt, RefundOrder, Refused, Unknown
from approvals.rendering import one_line
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import ActionId
from support_agents.domain.money import Money, exponent

ACTION = "support_action"
LIVE_KEYS, TEST_KEYS = ("sk_live_", "rk_live_"), ("sk_test_", "rk_test_")
# Where Stripe counts other places than ISO: the ariary in whole units, two currencies without decimals in hundredths.
_PLACES = {"MGA": 0, "ISK": 2, "UGX": 2}
_TENS_ONLY = 3
PAGE = 100
MOST_PAGES = 20
_FAILED = {"failed", "canceled"}
# Refused before anything was looked at, but the key or the limits can be mended: nobody is to hear a final no.
_NOT_NOW = (stripe.AuthenticationError, stripe.PermissionError, stripe.RateLimitError)


@dataclass(frozen=True)
class StripePaymentGateway:
    """`payment_ref` is a payment intent (`pi_…`) or a charge (`ch_…`, `py_…`)."""

    client: stripe.StripeClient = field(repr=False)
    is_live: bool
    http: StripeWire = field(repr=False)
    name: str = "stripe"

    @classmethod
    def open(cls, key: str, *, base_url: str = "", timeout_seconds: float = 20.0) -> "StripePaymentGateway":
        """Make a gateway that is live or a test by the key's kind; a key of no known kind is refused."""
        if not key.startswith((*LIVE_KEYS, *TEST_KEYS)):
            raise SupportError("settings", "SUPPORT_STRIPE_KEY is a secret or restricted key: sk_… or rk_…")
        http = StripeWire(timeout_seconds=timeout_seconds)
        client = stripe.StripeClient(
            key, max_network_retries=0, base_addresses={"api": base_url} if base_url else {}, http_client=http
        )
        return cls(client, key.startswith(LIVE_KEYS), http)

    @property
    def live(self) -> bool:
        """Whether the key moves real money."""
        return self.is_live

    async def refund(self, order: RefundOrder) -> Performed:
        """Book it, always with an explicit amount; Stripe itself refuses more than is left of the payment."""
        units = in_stripe_units(order.amount)
        if units is None:
            return Refused("bad_amount", f"Stripe cannot express {order.amount} as a refund")
        params: Any = {_target(order.payment_ref): order.payment_ref, "amount": units}
        params["metadata"] = {ACTION: str(order.action)}
        try:
            # A refund is asked for without a currency: Stripe would take 10 dollars for 10 of whatever was paid in.
            if await self._currency(order.payment_ref) != order.amount.currency:
                return Refused("wrong_currency", "the payment was made in another currency")
            made = await self.client.v1.refunds.create_async(params, {"idempotency_key": order.key})
        except stripe.StripeError as error:
            return _performed(error)
        return _booked(made, order, units)

    async def find(self, payment_ref: str, action: ActionId) -> Found | Refused:
        """Read every refund of the payment, page by page; one of this action that failed is a refusal."""
        params: Any = {_target(payment_ref): payment_ref, "limit": PAGE}
        failed: Refused | None = None
        for _ in range(MOST_PAGES):
            try:
                page = await self.client.v1.refunds.list_async(params)
            except stripe.InvalidRequestError as error:
                return _unknown_payment(error)
            except stripe.StripeError as error:
                return Unknown(_told(error))
            for made in page.data:
                if _metadata(made).get(ACTION) != str(action):
                    continue
                if made.status not in _FAILED:
                    return Receipt(made.id)
                failed = _failure(made)
            if not page.has_more or not page.data:
                return failed or Absent()
            params["starting_after"] = page.data[-1].id
        return Unknown("the payment has more refunds than can be read")

    async def _currency(self, payment_ref: str) -> str:
        if _target(payment_ref) == "charge":
            return (await self.client.v1.charges.retrieve_async(payment_ref)).currency.upper()
        return (await self.client.v1.payment_intents.retrieve_async(payment_ref)).currency.upper()

    async def close(self) -> None:
        """Close the connections."""
        await self.http.close_async()


def in_stripe_units(amount: Money) -> int | None:
    """Return the amount as Stripe counts it; None for what it cannot express or what is not a refund."""
    places = _PLACES.get(amount.currency, exponent(amount.currency))
    shift = places - exponent(amount.currency)
    units, rest = (amount.minor * 10**shift, 0) if shift >= 0 else divmod(amount.minor, 10**-shift)
    uneven = places == _TENS_ONLY and units % 10
    return None if rest or uneven or units <= 0 else units


def _target(payment_ref: str) -> str:
    return "payment_intent" if payment_ref.startswith("pi_") else "charge"


def _metadata(made: stripe.Refund) -> Mapping[str, str]:
    return made.metadata.to_dict() if made.metadata is not None else {}


def _booked(made: stripe.Refund, order: RefundOrder, units: int) -> Performed:
    """Hold the answer against the question: an old answer to another question must not pass for ours."""
    told = (_metadata(made).get(ACTION), made.amount, made.currency.upper())
    if told[0] != str(order.action):
        return Refused("key_reused", "the key was used for another refund")
    if told != (str(order.action), units, order.amount.currency):
        return Unknown("Stripe answered with another amount or currency than was asked for: look at its dashboard")
    return _failure(made) if made.status in _FAILED else Receipt(made.id)


def _failure(made: stripe.Refund) -> Refused:
    reason = one_line(str(getattr(made, "failure_reason", None) or made.status))
    return Refused("provider_failed", f"Stripe says that the refund {made.id} came to nothing: {reason}")


def _performed(error: stripe.StripeError) -> Performed:
    """Only what Stripe refused in so many words is a refusal; a stored 500 may have booked."""
    if isinstance(error, stripe.IdempotencyError):
        return Refused("key_reused", "the key was used with other parameters")
    if isinstance(error, stripe.InvalidRequestError | stripe.CardError) and not isinstance(error, _NOT_NOW):
        return Refused(one_line(error.code or "refused", 60), _told(error))
    return Unknown(_told(error))


def _unknown_payment(error: stripe.InvalidRequestError) -> Absent | Unknown:
    """A payment that Stripe does not know has no refunds."""
    return Absent() if error.code == "resource_missing" else Unknown(_told(error))


def _told(error: stripe.StripeError) -> str:
    """Stripe's words without a key: of one that it does not accept it shows the ends."""
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        return "Stripe does not accept the key in SUPPORT_STRIPE_KEY for this"
    if isinstance(error, stripe.APIConnectionError):
        return "Stripe could not be reached, or did not answer"
    status = f"{error.http_status}: " if error.http_status else ""
    return f"Stripe says {status}{one_line(error.user_message or 'no reason')}"
