"""A circuit breaker for one provider: open after failures in a row, then one probe at a time; it makes no calls."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from time import monotonic

from support_agents.domain.errors import AskedToWaitError, SupportError

# Waiting does not mend these: a person must.
CONFIGURATION = frozenset(("llm_auth", "llm_quota", "llm_not_found", "llm_bad_request"))
# These say nothing about the provider.
OURS = frozenset(("llm_budget", "llm_busy", "llm_spent", "no_facts"))


class Circuit(StrEnum):
    """Whether calls go through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass
class Breaker:
    """Opens for `seconds` after `failures` in a row; then one call probes, and success closes, failure opens again.

    A wrong configuration opens it at once, for `broken_seconds`; a provider's own word for as long as it says.
    """

    failures: int = 5
    seconds: float = 10.0
    broken_seconds: float = 60.0
    now: Callable[[], float] = field(default=monotonic, repr=False)
    fault: str = ""
    _in_a_row: int = 0
    _open_until: float | None = None
    _probing: bool = False

    @property
    def circuit(self) -> Circuit:
        """As it stands now."""
        if self._open_until is None:
            return Circuit.CLOSED
        return Circuit.OPEN if self.now() < self._open_until else Circuit.HALF_OPEN

    @property
    def misconfigured(self) -> str:
        """The code of a fault that only a person can mend; empty when there is none."""
        return self.fault if self.fault in CONFIGURATION else ""

    @property
    def opens_in(self) -> float:
        """Seconds until a call may be tried."""
        return 0.0 if self._open_until is None else max(0.0, self._open_until - self.now())

    def allows(self) -> bool:
        """Whether a call may be made now; while half open only one at a time, which this call is from now on."""
        match self.circuit:
            case Circuit.CLOSED:
                return True
            case Circuit.OPEN:
                return False
            case Circuit.HALF_OPEN:
                allowed, self._probing = not self._probing, True
                return allowed

    def succeeded(self) -> None:
        """Close."""
        self.fault, self._in_a_row, self._open_until, self._probing = "", 0, None, False

    def failed(self, error: SupportError) -> None:
        """Count a failure; open where it is the last straw."""
        if error.code in OURS:
            self.abandoned()
            return
        was_probe, self._probing = self._probing, False
        self.fault = error.code
        self._in_a_row += 1
        if error.code in CONFIGURATION:
            self._open_until = self.now() + self.broken_seconds
        elif isinstance(error, AskedToWaitError):
            self._open_until = self.now() + error.seconds
        elif was_probe or self._in_a_row >= self.failures:
            self._open_until = self.now() + self.seconds

    def abandoned(self) -> None:
        """Note that nobody waited for the outcome: a probe says nothing then."""
        self._probing = False
