"""Shapes of PayPal's answers as far as we read them, and money as PayPal writes it; it asks nothing."""

from decimal import Decimal, InvalidOperation
from typing import TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from support_agents.domain.money import Money, exponent

T = TypeVar("T", bound=BaseModel)
# PayPal takes no decimals for these; ISO has two for the forint and the Taiwan dollar.
_WHOLE_UNITS = ("HUF", "JPY", "TWD")


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class AsAmount(_Read):
    """Money as PayPal writes it."""

    value: str
    currency_code: str


class AsRefund(_Read):
    """A refund; a minimal answer has neither amount nor custom id."""

    id: str = Field(min_length=1)
    status: str
    custom_id: str | None = None
    amount: AsAmount | None = None


class _Related(_Read):
    order_id: str | None = None


class _Supplementary(_Read):
    related_ids: _Related = _Related()


class Capture(_Read):
    """A captured payment."""

    id: str
    supplementary_data: _Supplementary = _Supplementary()

    @property
    def order_id(self) -> str | None:
        """The order whose refunds include this capture's."""
        return self.supplementary_data.related_ids.order_id


class _Payments(_Read):
    refunds: tuple[AsRefund, ...] = ()


class _Unit(_Read):
    payments: _Payments = _Payments()


class AsOrder(_Read):
    """An order with every refund made in it."""

    id: str
    purchase_units: tuple[_Unit, ...] = Field(min_length=1)

    @property
    def refunds(self) -> tuple[AsRefund, ...]:
        """Of all its units."""
        return tuple(refund for unit in self.purchase_units for refund in unit.payments.refunds)


class _Detail(_Read):
    issue: str = ""


class Problem(_Read):
    """Why PayPal refuses."""

    name: str = ""
    details: tuple[_Detail, ...] = ()

    @property
    def issue(self) -> str:
        """The most exact code that was given."""
        return next((detail.issue for detail in self.details if detail.issue), self.name)


def read(shape: type[T], answer: httpx.Response) -> T | None:
    """Return the answer's body, or None when it was no success or has another shape."""
    return read_any(shape, answer) if answer.is_success else None


def read_any(shape: type[T], answer: httpx.Response) -> T | None:
    """Return the body of a success or an error, or None when it has another shape."""
    try:
        return shape.model_validate_json(answer.content)
    except ValidationError:
        return None


def same_value(told: str, asked: str) -> bool:
    """Whether two decimal strings are the same amount."""
    try:
        return Decimal(told) == Decimal(asked)
    except InvalidOperation:
        return False


def as_paypal_value(amount: Money) -> str | None:
    """Return the amount as a decimal string; None for what PayPal cannot express or what is not a refund."""
    if amount.minor <= 0:
        return None
    if amount.currency not in _WHOLE_UNITS:
        return amount.decimal
    whole, rest = divmod(amount.minor, 10 ** exponent(amount.currency))
    return None if rest else str(whole)
