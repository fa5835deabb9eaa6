"""An absolute instant by which a run or one of its stages must have ended."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime


@dataclass(frozen=True)
class Deadline:
    """`at` is on the monotonic clock `now`, in seconds; it is passed on explicitly, never restarted."""

    at: float
    now: Callable[[], float] = field(default=time.monotonic, repr=False, compare=False)

    @classmethod
    def since(cls, received_at: datetime, *, seconds: float, wall: datetime, now: Callable[[], float]) -> "Deadline":
        """Convert a stored `received_at` into an instant `seconds` later; `wall` is the present time of day."""
        return cls(at=now() + seconds - (wall - received_at).total_seconds(), now=now)

    @property
    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at - self.now())

    @property
    def passed(self) -> bool:
        """Whether nothing is left."""
        return self.at <= self.now()

    def capped(self, seconds: float) -> "Deadline":
        """The same deadline or `seconds` from now, whichever is earlier: one stage's share."""
        return replace(self, at=min(self.at, self.now() + seconds))
