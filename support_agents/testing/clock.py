"""A clock that stands still until it is told to move; for tests and replays."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass
class FixedClock:
    """`Clock` that only `advance` moves."""

    at: datetime = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    seconds: float = 1_000.0

    def now(self) -> datetime:
        """The set time of day."""
        return self.at

    def monotonic(self) -> float:
        """Seconds that pass with `advance` only."""
        return self.seconds

    def advance(self, seconds: float) -> None:
        """Move both clocks forward."""
        self.at += timedelta(seconds=seconds)
        self.seconds += seconds
