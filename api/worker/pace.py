"""How much work is done at once, how long a claim holds, and when an event is given up; it is numbers only."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Pace:
    """How much at once, how long a claim holds, how often to look without being woken, and when to give up."""

    concurrency: int = 4
    lease: timedelta = timedelta(seconds=15)
    poll_seconds: float = 5.0
    pause_seconds: float = 1.0
    most_attempts: int = 5

    def delay(self, attempts: int) -> timedelta:
        """How long to wait after the `attempts`-th failure: 1, 4, 16, 64 … seconds, at most five minutes."""
        return timedelta(seconds=min(4.0 ** (attempts - 1), 300))
