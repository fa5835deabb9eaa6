from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.business_hours import BusinessHours

BERLIN = BusinessHours(ZoneInfo("Europe/Berlin"))
UTC_HOURS = BusinessHours(ZoneInfo("UTC"))


def at(day: int, hour: int, minute: int = 0, *, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        (at(2, 10), 2, at(2, 12)),  # Monday, within the day
        (at(2, 17), 2, at(3, 10)),  # over night
        (at(6, 17), 2, at(9, 10)),  # Friday over the weekend
        (at(7, 12), 1, at(9, 10)),  # from a Saturday
        (at(8, 23), 1, at(9, 10)),  # from a Sunday night
        (at(2, 3), 1, at(2, 10)),  # before opening
        (at(2, 9), 9, at(2, 18)),  # exactly one day
        (at(2, 9), 45, at(6, 18)),  # exactly one week
        (at(2, 9), 46, at(9, 10)),  # a week and an hour
    ],
)
def test_only_open_hours_count(start: datetime, hours: int, end: datetime) -> None:
    assert UTC_HOURS.after(start, timedelta(hours=hours)) == end


def test_the_zone_decides_when_it_is_nine() -> None:
    assert BERLIN.after(at(2, 7), timedelta(hours=1)) == at(2, 9)  # 9:00 in Berlin is 8:00 UTC in winter


def test_a_change_of_the_clocks_over_a_weekend_changes_nothing_for_people() -> None:
    friday = at(23, 15, month=10)  # 17:00 in summer time
    assert BERLIN.after(friday, timedelta(hours=2)) == at(26, 9, month=10)  # Monday 10:00 in winter time


def test_a_closed_day_is_skipped() -> None:
    closed = BusinessHours(ZoneInfo("UTC"), closed_on=frozenset({date(2026, 11, 3)}))
    assert closed.after(at(2, 17), timedelta(hours=2)) == at(4, 10)


def test_the_day_is_the_zones() -> None:
    assert BERLIN.day(at(2, 23, 30)) == date(2026, 11, 3)


@given(
    start=st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds
    minutes=st.integers(1, 60 * 60),
)
def test_it_ends_in_business_hours_and_later_never_ends_sooner(start: datetime, minutes: int) -> None:
    end = BERLIN.after(start, timedelta(minutes=minutes))
    local = end.astimezone(BERLIN.zone)
    assert end >= start + timedelta(minutes=minutes)
    assert local.weekday() < 5
    assert BERLIN.opens <= local.time() <= BERLIN.closes
    assert BERLIN.after(start + timedelta(minutes=1), timedelta(minutes=minutes)) >= end
