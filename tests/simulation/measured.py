"""What `make load` measured, as the simulation takes it: processor by kind, and how long lone tickets took."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

# A third of a worker's time is the embedding model's, outside the interpreter's lock (docs/performance.md).
EMBEDDING = 1 / 3
_UNSATURATED = 0.7  # a step in whose cores so much or less was used says what a ticket costs


@dataclass(frozen=True)
class Costs:
    """Milliseconds of processor a ticket: on its way to the card by kind, and `background` for what is done beside."""

    api: float
    relay: float
    broker: float
    worker: float
    postgres: float
    background: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.api + self.relay + self.broker + self.worker + self.postgres + self.background


@dataclass(frozen=True)
class Step:
    """One step of a measured ramp."""

    rate: float
    seconds: float
    free_cores: float
    p50: float
    p95: float
    per_second: float
    cores_used: float


@dataclass(frozen=True)
class Measured:
    """One installation's figures; `alone_ms` are latencies of tickets that had the machine nearly to themselves."""

    costs: Costs
    alone_ms: Sequence[float]
    steps: Sequence[Step]

    @classmethod
    def read(cls, file: Path) -> "Measured":
        """Read what `python -m tests.load redis` left; `KeyError` if it made no ramp."""
        held = json.loads(file.read_text(encoding="utf-8"))
        ramp = [each for name, each in held["phases"].items() if name.startswith("ramp")]
        steps = [_step(each, held["cores"]) for each in ramp]
        first = min(range(len(ramp)), key=lambda at: steps[at].rate)
        free = [at for at, step in enumerate(steps) if step.cores_used <= _UNSATURATED * step.free_cores]
        return cls(_costs([ramp[at] for at in free or [first]]), ramp[first]["samples_ms"], steps)


def _step(each: Mapping[str, Any], cores: int) -> Step:
    ((rate, seconds),) = each["rates"]
    used = sum(each["processor_ms"].values()) * each["per_second"] / 1_000
    card = each["card_ms"]
    return Step(rate, seconds, cores - each["others_cores"], card["p50"], card["p95"], each["per_second"], used)


def _costs(steps: Sequence[Mapping[str, Any]]) -> Costs:
    kinds: dict[str, list[float]] = {}
    for each in steps:
        sums: dict[str, float] = {}
        for name, ms in each["processor_ms"].items():
            kind = name.partition(" ")[0]
            sums[kind] = sums.get(kind, 0.0) + ms
        for kind, ms in sums.items():
            kinds.setdefault(kind, []).append(ms)
    mean = {kind: fmean(values) for kind, values in kinds.items()}
    return Costs(
        api=mean["api"], relay=mean["relay"], broker=mean["broker"], worker=mean["worker"],
        postgres=mean["postgres"], background=mean["scheduler"],
    )  # fmt: skip
