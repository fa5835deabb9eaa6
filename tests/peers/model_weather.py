"""Seeded distributions of what a model provider does to a call – delays, pace, stalls, faults; it speaks no wire."""

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from random import Random


class Fault(StrEnum):
    """What goes wrong with one call; `NONE` is a good one."""

    NONE = "none"
    UNAUTHORISED = "unauthorised"
    FORBIDDEN = "forbidden"
    RATE_LIMITED = "rate_limited"
    QUOTA = "quota"
    UNAVAILABLE = "unavailable"
    OVERLOADED = "overloaded"
    CUT = "cut"
    """The stream ends as if it were over, but without its closing events."""
    DISCONNECT = "disconnect"
    """The connection breaks in the middle."""
    MALFORMED = "malformed"
    """One event in the middle is not JSON."""
    STALL = "stall"
    """The stream stops in the middle and stays open."""
    SILENT = "silent"
    """The request is taken and nothing is ever said."""
    REFUSAL = "refusal"
    FILTERED = "filtered"
    MAX_TOKENS = "max_tokens"


IN_STREAM = (Fault.CUT, Fault.DISCONNECT, Fault.MALFORMED, Fault.STALL)
# The errors of the distribution, equally likely.
RANDOM_FAULTS = (Fault.RATE_LIMITED, Fault.UNAVAILABLE, Fault.OVERLOADED, Fault.CUT, Fault.MALFORMED)


@dataclass(frozen=True)
class Distribution:
    """Seconds and tokens a second; log-normal ones by median and sigma."""

    first_token: tuple[float, float] = (0.45, 0.6)
    tokens_per_second: tuple[float, float] = (95.0, 0.35)
    stalls: float = 0.02
    stall_seconds: tuple[float, float] = (2.0, 8.0)
    faults: float = 0.015

    def stretched(self, times: float) -> "Distribution":
        """The same so many times slower: what a machine that has so much less to give would make of it."""
        (first, sigma), (pace, spread), (least, most) = self.first_token, self.tokens_per_second, self.stall_seconds
        return replace(
            self,
            first_token=(first * times, sigma),
            tokens_per_second=(pace / times, spread),
            stall_seconds=(least * times, most * times),
        )


INSTANT = Distribution((0.0, 0.0), (math.inf, 0.0), stalls=0.0, faults=0.0)


@dataclass(frozen=True)
class Call:
    """How one call goes: seconds to the first token, pace after it, where it stalls (a share of the text), and why."""

    first: float
    pace: float
    fault: Fault = Fault.NONE
    stall_at: float | None = None
    stall: float = 0.0


@dataclass
class Weather:
    """Draws calls one after another; `planned` faults come first, as they stand, in order."""

    distribution: Distribution = INSTANT
    seed: int = 0
    retry_after: str = "1"
    planned: deque[Fault] = field(default_factory=deque)
    calls: int = 0

    def plan(self, faults: Iterable[Fault]) -> None:
        """Make the next calls go so."""
        self.planned.extend(faults)

    def draw(self) -> Call:
        """Return the next call; the same seed gives the same sequence."""
        self.calls += 1
        rng, of = Random(f"{self.seed}:{self.calls}"), self.distribution  # noqa: S311 - a simulation
        first, pace = _log_normal(rng, *of.first_token), _log_normal(rng, *of.tokens_per_second)
        stalled, broken = rng.random() < of.stalls, rng.random() < of.faults
        if self.planned:
            return Call(first, pace, self.planned.popleft())
        fault = rng.choice(RANDOM_FAULTS) if broken else Fault.NONE
        if not stalled:
            return Call(first, pace, fault)
        return Call(first, pace, fault, stall_at=rng.random(), stall=rng.uniform(*of.stall_seconds))


def _log_normal(rng: Random, median: float, sigma: float) -> float:
    return median * math.exp(sigma * rng.gauss(0, 1)) if median and sigma else median
