"""The phases of a load test, and what each came to; it starts nothing and judges nothing."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

from tests.benchmarks.figures import percentile
from tests.load.client import Order, Tally
from tests.load.installations import Loaded
from tests.load.speed import Speed
from tests.load.watching import Memory, Slope, busy_seconds, by_thread, used

LATE_MS = 2_000.0
_LOST_PATIENCE = 30.0


@dataclass(frozen=True)
class Phase:
    """A name, and how many messages a second for how long, one rate after another."""

    name: str
    rates: tuple[tuple[float, float], ...]
    soak: bool = False

    @property
    def count(self) -> int:
        """How many messages that is."""
        return round(sum(rate * seconds for rate, seconds in self.rates))


@dataclass(frozen=True)
class Result:
    """One phase's figures: processor in ms a ticket by process, and that of the second busiest thread in each.

    In a worker that is the embedder's, beside the one that runs Python. `others_cores` is what the rest of the machine
    took, `client_cores` the load generator; `speed` says how quick each core was when (`Speed.since`).
    """

    phase: Phase
    tally: Tally
    processor_ms: dict[str, float]
    second_thread_ms: dict[str, float]
    others_cores: float
    client_cores: float
    speed: Mapping[str, Sequence[float]] = field(default_factory=dict)
    slopes: dict[str, Slope] = field(default_factory=dict)

    @property
    def cards(self) -> list[float]:
        """Milliseconds to card ready."""
        return [each for each in self.tally.card_ms if each is not None]

    @property
    def lost(self) -> int:
        """Accepted, and no card came within patience."""
        accepted = sum(count for status, count in self.tally.statuses.items() if status == "202")
        return max(0, accepted - len(self.cards))

    @property
    def per_second(self) -> float:
        """Cards a second from the first message to the last card."""
        return len(self.cards) / self.tally.seconds

    @property
    def in_time(self) -> float:
        """Share of cards within the two seconds."""
        return sum(each <= LATE_MS for each in self.cards) / max(1, len(self.cards))

    def figures(self) -> dict[str, object]:
        """Plain values."""
        hooks = [each for each in self.tally.webhook_ms if each is not None]
        shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
        return {
            "rates": self.phase.rates,
            "messages": len(self.tally.sent_at),
            "statuses": self.tally.statuses,
            "webhook_ms": {name: round(percentile(hooks, share), 1) for name, share in shares.items()},
            "card_ms": {name: round(percentile(self.cards, share), 1) for name, share in shares.items()},
            "in_time": round(self.in_time, 4),
            "per_second": round(self.per_second, 2),
            "backlog": self.tally.backlog,
            "lost": self.lost,
            "processor_ms": {name: round(ms, 2) for name, ms in self.processor_ms.items()},
            "second_thread_ms": {name: round(ms, 2) for name, ms in self.second_thread_ms.items()},
            "others_cores": round(self.others_cores, 2),
            "client_cores": round(self.client_cores, 2),
            "speed": self.speed,
            "memory": {name: vars(slope) for name, slope in self.slopes.items()},
        }


def measured(loaded: Loaded, phase: Phase, series: str, first: int) -> Result:
    """Have the load generator's process carry the phase out, and read what all used meanwhile."""
    pids = {**loaded.pids, **loaded.servers}
    memory = Memory(loaded.pids)
    threads = {name: by_thread(pid) for name, pid in loaded.pids.items()}
    before, busy, began = used(pids), busy_seconds(), time.monotonic()
    with Speed() as speed, memory if phase.soak else nullcontext():
        tally = _sent(loaded, phase, series, first)
    took, after, busy = time.monotonic() - began, used(pids), busy_seconds() - busy
    spent = {name: after[name] - before[name] for name in pids}
    second = {name: _second(threads[name], by_thread(pid)) for name, pid in loaded.pids.items()}
    a_card = 1_000 / max(1, sum(each is not None for each in tally.card_ms))
    return Result(
        phase,
        tally,
        processor_ms={name: seconds * a_card for name, seconds in spent.items()},
        second_thread_ms={name: seconds * a_card for name, seconds in second.items()},
        others_cores=max(0.0, busy - sum(spent.values()) - tally.client_seconds) / took,
        client_cores=tally.client_seconds / took,
        speed=speed.since(tally.began),
        slopes=memory.slopes() if phase.soak else {},
    )


def _second(before: Mapping[int, float], after: Mapping[int, float]) -> float:
    """Return the seconds of the thread that used second most."""
    return sorted([0.0, 0.0, *(seconds - before.get(thread, 0.0) for thread, seconds in after.items())])[-2]


def _sent(loaded: Loaded, phase: Phase, series: str, first: int) -> Tally:
    order = Order(loaded.url, loaded.database, series, first, phase.rates, _LOST_PATIENCE)
    given = json.dumps(vars(order))
    words = [sys.executable, "-m", "tests.load.client"]
    ended = subprocess.run(words, input=given, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise RuntimeError(ended.stderr[-2_000:])
    return Tally(**json.loads(ended.stdout))


def phases(names: Sequence[str], *, steady: float, seconds: float, minutes: float) -> list[Phase]:
    """Return the phases asked for: `steady` is the rate of the first and of the spike's top."""
    ramp = [(rate, seconds / 2) for rate in (5.0, 8.0, 10.0, 12.0, 15.0, 18.0, 20.0, 25.0, 30.0)]
    known = {
        "ramp": [Phase(f"ramp {rate:g}/s", ((rate, span),)) for rate, span in ramp],
        "steady": [Phase(f"steady {steady:g}/s", ((steady, seconds),))],
        "spike": [Phase("spike ×10", ((steady / 10, 10.0), (steady, 6.0), (steady / 10, 20.0)))],
        "soak": [Phase("soak", ((6.0, minutes * 60),), soak=True)],
    }
    return [phase for name in names for phase in known[name]]
