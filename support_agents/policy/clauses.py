"""One dated clause of the policy file as typed data; it says what is allowed and decides nothing."""

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, model_validator

from support_agents.domain.action import ClauseRef
from support_agents.domain.money import Currency, Money
from support_agents.domain.orders import OrderFacts, OrderStatus


class CountedFrom(StrEnum):
    """The order's date that a window starts on."""

    PLACED_ON = "placed_on"
    SHIPPED_ON = "shipped_on"
    DELIVERED_ON = "delivered_on"


class Rule(BaseModel):
    """What a clause allows, as limits that code can check; a missing limit limits nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: str = Field(pattern=r"^[a-z][a-z_]*$")
    window_days: int | None = Field(default=None, ge=1, le=3_660)
    counted_from: CountedFrom = CountedFrom.DELIVERED_ON
    statuses: tuple[OrderStatus, ...] = ()
    max_amount_minor: Mapping[Currency, int] = Field(default_factory=dict)
    needs_evidence: bool = Field(default=False, description="only for a message with attachments")
    needs_return: bool = Field(default=False, description="a delivered order must have come back first")

    def deadline(self, order: OrderFacts) -> date | None:
        """The last day of the window for this order; None without a window or while its first day is unknown."""
        starts: Mapping[CountedFrom, date | None] = {
            CountedFrom.PLACED_ON: order.placed_on,
            CountedFrom.SHIPPED_ON: order.shipped_on,
            CountedFrom.DELIVERED_ON: order.delivered_on,
        }
        start = starts[self.counted_from]
        if self.window_days is None or start is None:
            return None
        return start + timedelta(days=self.window_days)

    def allows_amount(self, amount: Money) -> bool:
        """Whether `amount` is within the limit of its currency; limits without that currency allow nothing in it."""
        if not self.max_amount_minor:
            return True
        return amount.minor <= self.max_amount_minor.get(amount.currency, -1)


class Clause(BaseModel):
    """A clause at one version with the days it holds on; both ends are included."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    version: int = Field(ge=1)
    text: str = Field(min_length=1)
    valid_from: date
    valid_until: date | None = None
    owner: str = Field(min_length=1)
    verified_on: date
    applies_to: tuple[str, ...] = Field(min_length=1)
    rule: Rule | None = None

    @model_validator(mode="after")
    def _dates_in_order(self) -> "Clause":
        if self.valid_until is not None and self.valid_until < self.valid_from:
            raise ValueError("valid_until is before valid_from")
        return self

    @property
    def ref(self) -> ClauseRef:
        """How an action names this clause."""
        return ClauseRef(id=self.id, version=self.version)

    def holds_on(self, day: date) -> bool:
        """Whether the clause is in force on `day`."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)
