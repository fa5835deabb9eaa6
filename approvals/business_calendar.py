"""Public holidays of a country as closed days; it knows no weekend and asks nothing over the network."""

from datetime import date

import holidays

from support_agents.domain.errors import SupportError

_YEARS_BEFORE, _YEARS_AFTER = 1, 10


def closed_days(region: str, *, today: date) -> frozenset[date]:
    """Holidays of `DE` or `DE-BE` around this year; none without a region; `settings` for an unknown one."""
    if not region:
        return frozenset()
    country, _, subdivision = region.partition("-")
    years = range(today.year - _YEARS_BEFORE, today.year + _YEARS_AFTER + 1)
    try:
        found = holidays.country_holidays(country, subdiv=subdivision or None, years=years)
    except NotImplementedError as error:
        told = f"set SUPPORT_BUSINESS_HOLIDAYS to a country such as DE, or DE-BE: {error}"
        raise SupportError("settings", told) from error
    return frozenset(found)
