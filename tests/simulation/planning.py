"""How many of each process a rate needs, what would be full first, and what a million tickets cost; by simulation."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from tests.benchmarks.figures import percentile
from tests.simulation.measured import Measured
from tests.simulation.model import Installation, Size

PROMISED_MS = 2_000.0
# No kind is planned fuller than this, whatever a short simulation says: what is fuller falls behind sooner or later.
FULLEST = 0.85
CORE_HOUR = 0.04  # assumed price of one virtual core for an hour, in US dollars, without storage, network and people
_TICKETS = 4_000
_LONGEST = 10_000


@dataclass(frozen=True)
class Planned:
    """A size for a rate, what it does there, how full each kind is, and its cost."""

    rate: float
    size: Size
    p99: float
    full: Mapping[str, float]

    @property
    def cores(self) -> int:
        """One for each process, the database's, the scheduler's and the brokers'."""
        size = self.size
        return size.api + size.relay + size.worker + size.brokers + size.postgres_cores + 1

    @property
    def first(self) -> str:
        """What would be full first if more came."""
        return max(self.full, key=lambda kind: self.full[kind])

    @property
    def million(self) -> float:
        """US dollars of processor for a million tickets at this rate."""
        return self.cores * CORE_HOUR / 3_600 / self.rate * 1_000_000


def planned(measured: Measured, rate: float) -> Planned:
    """Return the smallest size that keeps p99 within two seconds and no kind fuller than planned for."""
    costs = measured.costs
    relaying = costs.relay + costs.postgres / 3  # it waits for its transaction before it looks again
    size = Size(
        api=_least(rate, costs.api),
        relay=_least(rate, relaying),
        worker=_least(rate, costs.worker),
        brokers=_least(rate, costs.broker),
        postgres_cores=_least(rate, costs.postgres),
    )
    p99 = _p99(measured, size, rate)
    while p99 > PROMISED_MS:
        size = replace(size, worker=size.worker + max(1, size.worker // 20))
        p99 = _p99(measured, size, rate)
    full = {
        "api": rate * costs.api / 1_000 / size.api,
        "relay": rate * relaying / 1_000 / size.relay,
        "broker": rate * costs.broker / 1_000 / size.brokers,
        "worker": rate * costs.worker / 1_000 / size.worker,
        "postgres": rate * costs.postgres / 1_000 / size.postgres_cores,
    }
    return Planned(rate, size, p99, full)


def _least(rate: float, milliseconds: float) -> int:
    return max(1, math.ceil(rate * milliseconds / 1_000 / FULLEST))


def _p99(measured: Measured, size: Size, rate: float) -> float:
    tickets = int(min(_LONGEST, max(_TICKETS, 4 * rate)))
    outcome = Installation(measured.costs, measured.lone, size).run(rate, tickets)
    return percentile(outcome.card_ms, 0.99)
