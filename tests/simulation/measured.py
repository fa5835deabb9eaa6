"""What `make load` measured, as the simulation takes it: processor by kind, and how long lone tickets took."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

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
    return Step(rate, seconds, others, costs, card["p50"], card["p95"], per_second, costs.total * per_second / 1_000)


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
