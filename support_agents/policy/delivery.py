"""How long deliveries take by the policy file, from dispatch to a first and a last day; it promises none."""

from datetime import date, timedelta
from functools import lru_cache

import holidays
from pydantic import BaseModel, ConfigDict, Field

from support_agents.domain.money import Currency
from support_agents.domain.orders import OrderFacts

_SATURDAY = 5


class DeliveryTime(BaseModel):
    """Working days from dispatch for some places, or for a whole shop where the place is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    currency: Currency = Field(description="of the shop")
    places: tuple[str, ...] = Field(default=(), description="codes of countries; empty: wherever in that shop")
    first: int = Field(ge=0)
    last: int = Field(ge=1)


class Deliveries(BaseModel):
    """The table of delivery times with the calendar that its working days go by."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    holidays_of: str = Field(pattern=r"^[A-Z]{2}$", description="country whose public holidays are no working days")
    late_after: int = Field(ge=0, description="working days after the last one before a parcel is reported")
    bulky: tuple[str, ...] = Field(default=(), description="words of items that go by a carrier for bulky goods")
    bulky_days: tuple[int, int] = (5, 8)
    times: tuple[DeliveryTime, ...] = ()

    def is_bulky(self, order: OrderFacts) -> bool:
        """Whether the item goes by a carrier for bulky goods."""
        return any(word.casefold() in order.item.casefold() for word in self.bulky)

    def days(self, order: OrderFacts, places: frozenset[str]) -> tuple[int, int] | None:
        """Working days for this order, first and last; by the customer's country where the message names one."""
        if self.is_bulky(order):
            return self.bulky_days
        here = [time for time in self.times if time.currency == order.total.currency]
        named = [time for time in here if places & {*time.places}]
        wide = [time for time in here if not time.places]
        found = named if len(named) == 1 else wide
        return (found[0].first, found[0].last) if found else None

    def after(self, day: date, working_days: int) -> date:
        """Return the day that is so many working days after `day`."""
        for _ in range(working_days):
            day += timedelta(days=1)
            while not self._works(day):
                day += timedelta(days=1)
        return day

    def _works(self, day: date) -> bool:
        return day.weekday() < _SATURDAY and day not in _holidays(self.holidays_of, day.year)


@lru_cache(maxsize=16)
def _holidays(country: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, years=year))
