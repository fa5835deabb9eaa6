"""What `make load` measured, as the simulation takes it: processor by kind, and how long lone tickets took."""

import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

# Where a small piece of Python takes twice as long, because a neighbour is on the same core, other Python takes 1.8
# times as long and an embedding 1.2: exponents that `python -m tests.simulation.felt` found on an idle machine.
_FELT, _FELT_BY_EMBEDDING = 0.86, 0.28
_ROOM = 0.7  # a step in which so much or less of the machine was used says what a ticket costs


@dataclass(frozen=True)
class Costs:
    """Milliseconds of processor a ticket: on its way to the card by kind, and `background` for what is done beside.

    `embedding` is the part of the worker's that its embedder's thread does; all the rest needs the interpreter, which
    lets one thread in at a time.
    """

    api: float
    relay: float
    broker: float
    worker: float
    embedding: float
    postgres: float
    background: float

    @property
    def before_the_card(self) -> float:
        """All but what is done beside."""
        return self.api + self.relay + self.broker + self.worker + self.postgres

    @property
    def total(self) -> float:
        """All of it."""
        return self.before_the_card + self.background


@dataclass(frozen=True)
class Lone:
    """Tickets that had the machine nearly to themselves: milliseconds to the card of each, and what one cost then."""

    card_ms: Sequence[float]
    costs: Costs

    @property
    def mean(self) -> float:
        """Milliseconds to the card."""
        return fmean(self.card_ms)

    @property
    def on_the_way(self) -> float:
        """The share of a ticket's processor time that can have been on its way: the rest ran beside it or after it."""
        return min(1.0, self.mean / self.costs.before_the_card)


@dataclass(frozen=True)
class Weather:
    """How slow each core was from moment to moment, 1 being the mean of all: what others on a shared host did to it."""

    at_ms: Sequence[float] = ()
    most: Sequence[Sequence[float]] = ()
    embedding: Sequence[Sequence[float]] = ()

    @classmethod
    def of(cls, speed: Mapping[str, Sequence[float]]) -> "Weather":
        """From what a fixed piece of Python cost on each core (`tests.load.speed`)."""
        cores = [found for name, found in speed.items() if name.startswith("core")]
        most, embedding = ([[ms**felt for ms in found] for found in cores] for felt in (_FELT, _FELT_BY_EMBEDDING))
        return cls([1_000 * at for at in speed["at"]], _around_one(most), _around_one(embedding))

    def slowness(self, core: int, now_ms: float, *, embedding: bool) -> float:
        """Of the last look before that moment."""
        if not self.at_ms:
            return 1.0
        by_core = self.embedding if embedding else self.most
        return by_core[core][max(0, bisect_right(self.at_ms, now_ms) - 1)]


def _around_one(by_core: Sequence[Sequence[float]]) -> list[list[float]]:
    mean = fmean(each for found in by_core for each in found)
    return [[each / mean for each in found] for found in by_core]


@dataclass(frozen=True)
class Step:
    """One step of a measured ramp; `others_cores` is what the load generator and the rest of the machine took."""

    rate: float
    seconds: float
    others_cores: float
    costs: Costs
    p50: float
    p95: float
    per_second: float
    cores_used: float
    weather: Weather


@dataclass(frozen=True)
class Measured:
    """One installation's figures: what a ticket costs where there is room, lone tickets, and each step of the ramp."""

    cores: int
    costs: Costs
    lone: Lone
    steps: Sequence[Step]

    @classmethod
    def read(cls, file: Path) -> "Measured":
        """Read what `python -m tests.load redis` left; `KeyError` if it made no ramp."""
        held = json.loads(file.read_text(encoding="utf-8"))
        ramp = [each for name, each in held["phases"].items() if name.startswith("ramp")]
        steps = [_step(each) for each in ramp]
        first = min(range(len(ramp)), key=lambda at: steps[at].rate)
        room = [at for at, step in enumerate(steps) if step.cores_used + step.others_cores <= _ROOM * held["cores"]]
        lone = Lone(ramp[first]["samples_ms"], steps[first].costs)
        return cls(held["cores"], _costs([ramp[at] for at in room or [first]]), lone, steps)


def _step(each: Mapping[str, Any]) -> Step:
    ((rate, seconds),) = each["rates"]
    costs, card, per_second = _costs([each]), each["card_ms"], each["per_second"]
    others = each["others_cores"] + each["client_cores"]
    used = costs.total * per_second / 1_000
    weather = Weather.of(each["speed"])
    return Step(rate, seconds, others, costs, card["p50"], card["p95"], per_second, used, weather)


def _costs(steps: Sequence[Mapping[str, Any]]) -> Costs:
    processor, second = (_means([each[name] for each in steps]) for name in ("processor_ms", "second_thread_ms"))
    return Costs(
        api=processor["api"], relay=processor["relay"], broker=processor["broker"], worker=processor["worker"],
        embedding=second["worker"], postgres=processor["postgres"], background=processor["scheduler"],
    )  # fmt: skip


def _means(steps: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """By kind: the sum over its processes, and of these the mean over the steps."""
    kinds: dict[str, float] = {}
    for each in steps:
        for name, ms in each.items():
            kind = name.partition(" ")[0]
            kinds[kind] = kinds.get(kind, 0.0) + ms / len(steps)
    return kinds
