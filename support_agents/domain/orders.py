"""What the order system says of an order, and its answers when it will not say."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from support_agents.domain.money import Money


class OrderStatus(StrEnum):
    """Where an order stands."""

    PROCESSING = "processing"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    RETURNED = "returned"


class OrderFacts(BaseModel):
    """An order that belongs to the authenticated requester; only ever made by an order system."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    status: OrderStatus
    item: str
    quantity: int = 1
    placed_on: date
    shipped_on: date | None = None
    delivered_on: date | None = None
    carrier: str | None = None
    tracking: str | None = None
    total: Money
    refunded: Money
    payment_ref: str = Field(description="the payment to refund, as the payment provider names it")
    account_last4: str = Field(description="last four characters of the account, for a person to see")
    instrument: str = Field(default="", description="what was paid with, as the order system tells cards apart")
    customer_tier: str = Field(default="", description="how the order system classes the customer, if it does")
    version: str = Field(description="changes whenever any of the above does")


@dataclass(frozen=True)
class NotTheirs:
    """The order exists or not: to this requester nothing is said about it."""

    order_id: str


@dataclass(frozen=True)
class UnknownOrder:
    """No such order, told only to an authenticated requester."""

    order_id: str
