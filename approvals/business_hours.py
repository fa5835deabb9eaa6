"""Time limits that count business hours only: pure arithmetic over a zone's wall clock, it reads no clock itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

FURTHEST = 3_660  # days looked ahead; a limit beyond ten years is a mistake


@dataclass(frozen=True)
class BusinessHours:
    """Opening hours, by default Monday to Friday from 9 to 18 on the wall clocks of `zone`."""

    zone: ZoneInfo
    opens: time = time(9)
    closes: time = time(18)
    days: frozenset[int] = frozenset(range(5))
    closed_on: frozenset[date] = frozenset()

    def after(self, start: datetime, open_time: timedelta) -> datetime:
        """Return the UTC instant at which `open_time` of business hours has passed since `start`."""
        left = open_time
        for opening, closing in self._windows(start):
            begin = max(opening, start)
            if begin + left <= closing:
                return begin + left
            left -= max(closing - begin, timedelta())
        raise ValueError(f"no business hours within ten years cover {open_time}")

    def open_between(self, start: datetime, end: datetime) -> timedelta:
        """Return how much of the time from `start` to `end` was business hours."""
        passed = timedelta()
        for opening, closing in self._windows(start):
            if opening >= end:
                break
            passed += max(min(closing, end) - max(opening, start), timedelta())
        return passed

    def is_open(self, instant: datetime) -> bool:
        """Whether the business is open at this moment."""
        opening, closing = next(self._windows(instant), (None, None))
        return opening is not None and closing is not None and opening <= instant < closing

    def is_holiday(self, instant: datetime) -> bool:
        """Whether the day is one of those that the business is closed on, whatever the weekday."""
        return self.day(instant) in self.closed_on

    def day(self, instant: datetime) -> date:
        """The calendar day in the business's zone: whose daily total an approval counts against."""
        return instant.astimezone(self.zone).date()

    def _windows(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        first = self.day(start)
        for offset in range(FURTHEST):
            day = first + timedelta(days=offset)
            if day.weekday() in self.days and day not in self.closed_on:
                closing = self._instant(day, self.closes)
                if closing > start:
                    yield self._instant(day, self.opens), closing

    def _instant(self, day: date, wall: time) -> datetime:
        return datetime.combine(day, wall, tzinfo=self.zone).astimezone(UTC)
