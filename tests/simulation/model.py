"""The installation as a discrete-event model: tickets wait for processes, processes for cores; it measures nothing."""

import random
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import simpy

from tests.simulation.measured import EMBEDDING, Costs

_SLICE_MS = 5.0  # a core passes from one process to the next after so long at most
_AT_ONCE = 4  # events that a worker process handles at the same time (`SUPPORT_WORKER_CONCURRENCY`)
Wait = Generator[simpy.Event, Any, None]


@dataclass(frozen=True)
class Size:
    """How many of each process. With `shared_cores` all run on one machine of so many; without, each has its own."""

    api: int = 1
    relay: int = 1
    worker: int = 1
    postgres_cores: int = 2
    shared_cores: float | None = None


@dataclass(frozen=True)
class Outcome:
    """Milliseconds to the card of each ticket, in the order of arrival, and cards a second until the last one."""

    card_ms: Sequence[float]
    per_second: float


@dataclass
class _Kind:
    """The processes of one kind: the next ticket goes to each in turn."""

    processes: Sequence[simpy.Resource]
    _turn: Iterator[int] = field(default_factory=count)

    def next(self) -> simpy.Resource:
        turn: int = next(self._turn)
        return self.processes[turn % len(self.processes)]


class Installation:
    """One simulated installation; times are milliseconds."""

    def __init__(self, costs: Costs, alone_ms: Sequence[float], size: Size, *, seed: int = 1) -> None:
        self._env = simpy.Environment()
        self._costs, self._size = costs, size
        self._alone, self._mean = alone_ms, sum(alone_ms) / len(alone_ms)
        self._dice = random.Random(seed)  # noqa: S311 - chance, no secret
        cores = max(1, round(size.shared_cores or 0))
        self._cores = simpy.Resource(self._env, cores) if size.shared_cores else None
        self._stretch = cores / size.shared_cores if size.shared_cores else 1.0
        self._api = self._kind(size.api, 1)
        self._relay = self._kind(size.relay, 1)
        self._seats = self._kind(size.worker, _AT_ONCE)
        self._locks = self._kind(size.worker, 1)
        self._postgres = simpy.Resource(self._env, size.postgres_cores)
        self._broker = simpy.Resource(self._env, 1)
        self._card_ms: list[float] = []

    def run(self, rate: float, tickets: int, *, evenly: bool = False) -> Outcome:
        """Let so many tickets arrive, by chance (Poisson) or evenly, and return when the last card is ready."""
        self._card_ms = [0.0] * tickets
        self._env.process(self._arrivals(rate, tickets, evenly=evenly))
        self._env.run()
        return Outcome(self._card_ms, tickets / self._env.now * 1_000)

    def _kind(self, processes: int, places: int) -> _Kind:
        return _Kind([simpy.Resource(self._env, places) for _ in range(processes)])

    def _arrivals(self, rate: float, tickets: int, *, evenly: bool) -> Wait:
        for at in range(tickets):
            self._env.process(self._ticket(at))
            yield self._env.timeout(1_000 / rate if evenly else self._dice.expovariate(rate / 1_000))

    def _ticket(self, at: int) -> Wait:
        """One ticket's way: webhook, hint, run. Its length varies as lone tickets' did, and all its parts with it."""
        costs, began = self._costs, self._env.now
        alone = self._dice.choice(self._alone)
        factor = alone / self._mean
        # What a lone ticket took longer than its processor time, it waited: for the disk, for being woken.
        waits = max(0.0, alone - factor * (costs.total - costs.background))
        third = factor * costs.postgres / 3  # a webhook's, a claim's and a run's transactions
        yield from self._on(self._api.next(), factor * costs.api)
        yield from self._on(self._postgres, third)
        yield from self._on(self._relay.next(), factor * costs.relay)
        yield from self._on(self._postgres, third)
        yield from self._on(self._broker, factor * costs.broker)
        yield self._env.timeout(waits)
        with self._seats.next().request() as seat:
            yield seat
            yield from self._on(self._locks.next(), factor * costs.worker * (1 - EMBEDDING))
            yield from self._core(factor * costs.worker * EMBEDDING)
            yield from self._on(self._postgres, third)
        self._card_ms[at] = self._env.now - began
        yield from self._core(costs.background)

    def _on(self, process: simpy.Resource, milliseconds: float) -> Wait:
        """Work in a process that does one thing at a time, in slices, so that none blocks it for long."""
        left = milliseconds
        while left > 0:
            with process.request() as turn:
                yield turn
                yield from self._core(min(left, _SLICE_MS))
            left -= _SLICE_MS

    def _core(self, milliseconds: float) -> Wait:
        """Use a core for so long, in slices where cores are shared."""
        if self._cores is None:
            yield self._env.timeout(milliseconds)
            return
        left = milliseconds
        while left > 0:
            with self._cores.request() as core:
                yield core
                yield self._env.timeout(min(left, _SLICE_MS) * self._stretch)
            left -= _SLICE_MS
