"""The installation as a discrete-event model: tickets wait for processes, processes for cores; it measures nothing."""

import random
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Generic, TypeVar

import simpy

from tests.simulation.measured import Costs, Lone, Weather

_OTHERS_MS = 1.0  # what else runs on the machine takes a core for so long at a time, by chance
_INTERPRETER_MS = 5.0  # a thread that waits to be let into Python asks the one that is in to leave after so long
# A run in a worker is Python between waits. A thread that comes back to Python (with a message from the broker, in the
# pool, with a vector) is let in when the one that is in waits itself, or after the interpreter's five milliseconds.
_WAITS = "ddedddeddeddd"  # d: a trip to the database, e: an embedding
_HAND_OVERS = 2  # of the broker's thread and the pool's, and of the embedder's at each embedding
_AT_ONCE = 4  # events that a worker process handles at the same time (`SUPPORT_WORKER_CONCURRENCY`)
_TICK_MS = 4.0  # the kernel looks so often (250 Hz) whose turn it is on a core, and whether another core is idle
Wait = Generator[simpy.Event, Any, None]
P = TypeVar("P")


@dataclass(frozen=True)
class Size:
    """How many of each process. With `shared_cores` all run on one machine of so many; without, each has its own.

    `others_cores` of the shared ones are used by what is no part of the installation.
    """

    api: int = 1
    relay: int = 1
    worker: int = 1
    brokers: int = 1
    postgres_cores: int = 2
    shared_cores: int | None = None
    others_cores: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """Milliseconds to the card of each ticket, in the order of arrival, and cards a second until the last one."""

    card_ms: Sequence[float]
    per_second: float


@dataclass
class _Kind(Generic[P]):
    """The processes of one kind: the next ticket goes to each in turn."""

    processes: Sequence[P]
    _turn: Iterator[int] = field(default_factory=count)

    def next(self) -> P:
        turn: int = next(self._turn)
        return self.processes[turn % len(self.processes)]


class _Worker:
    """One process: as many runs at once, one thread in the interpreter, one embedder."""

    def __init__(self, env: simpy.Environment) -> None:
        self.seats = simpy.Resource(env, _AT_ONCE)
        self.python = simpy.Resource(env, 1)
        self.embedder = simpy.Resource(env, 1)


class Installation:
    """One simulated installation; times are milliseconds."""

    def __init__(self, costs: Costs, lone: Lone, size: Size, *, weather: Weather | None = None, seed: int = 1) -> None:
        self._env = simpy.Environment()
        self._costs, self._lone, self._size = costs, lone, size
        self._mean, self._share = lone.mean, lone.on_the_way
        self._dice = random.Random(seed)  # noqa: S311 - chance, no secret
        self._weather = weather or Weather()
        self._cores = [simpy.Resource(self._env, 1) for _ in range(size.shared_cores or 0)]
        self._api = self._kind(size.api)
        self._relay = self._kind(size.relay)
        self._broker = self._kind(size.brokers)
        self._worker = _Kind([_Worker(self._env) for _ in range(size.worker)])
        self._postgres = simpy.Resource(self._env, size.postgres_cores)
        self._card_ms: list[float] = []

    def run(self, rate: float, tickets: int, *, evenly: bool = False) -> Outcome:
        """Let so many tickets arrive, by chance (Poisson) or evenly, and return when the last card is ready."""
        self._card_ms = [0.0] * tickets
        if self._size.others_cores:
            self._env.process(self._others(self._size.others_cores))
        self._env.run(self._env.process(self._arrivals(rate, tickets, evenly=evenly)))
        return Outcome(self._card_ms, tickets / self._env.now * 1_000)

    def _kind(self, processes: int) -> _Kind[simpy.Resource]:
        return _Kind([simpy.Resource(self._env, 1) for _ in range(processes)])

    def _arrivals(self, rate: float, tickets: int, *, evenly: bool) -> Wait:
        """End when the last card is ready."""
        cards = []
        for at in range(tickets):
            cards.append(self._env.process(self._ticket(at)))
            yield self._env.timeout(1_000 / rate if evenly else self._dice.expovariate(rate / 1_000))
        yield self._env.all_of(cards)

    def _others(self, cores: float) -> Wait:
        """What else the machine does: short pieces of work, as many as make up so many cores."""
        while True:
            yield self._env.timeout(self._dice.expovariate(cores / _OTHERS_MS))
            self._env.process(self._core(_OTHERS_MS))

    def _ticket(self, at: int) -> Wait:
        """One ticket's way: webhook, hint, run. Its length varies as lone tickets' did, and all its parts with it."""
        costs, began = self._costs, self._env.now
        alone = self._dice.choice(self._lone.card_ms)
        factor = alone / self._mean * self._share
        # What a lone ticket took longer than its processor time, it waited: for the disk, for being woken.
        waits = max(0.0, alone - factor * self._lone.costs.before_the_card)
        third = factor * costs.postgres / 3  # a webhook's, a claim's and a run's transactions
        yield from self._on(self._api.next(), factor * costs.api)
        yield from self._on(self._postgres, third)
        with self._relay.next().request() as turn:
            yield turn  # a relay claims and sends, and only then looks again
            yield from self._core(factor * costs.relay)
            yield from self._on(self._postgres, third)
        yield from self._on(self._broker.next(), factor * costs.broker)
        yield self._env.timeout(waits)
        worker = self._worker.next()
        with worker.seats.request() as seat:
            yield seat
            yield from self._run(worker, factor, third)
        self._card_ms[at] = self._env.now - began
        self._env.process(self._core((1 - self._share) * costs.before_the_card + costs.background))

    def _run(self, worker: "_Worker", factor: float, postgres: float) -> Wait:
        python = factor * (self._costs.worker - self._costs.embedding) / (len(_WAITS) + 1)
        trip, embedding = postgres / _WAITS.count("d"), factor * self._costs.embedding / _WAITS.count("e")
        for _ in range(_HAND_OVERS):
            yield from self._let_in(worker)
        for wait in _WAITS:
            yield from self._on(worker.python, python)
            if wait == "d":
                yield from self._on(self._postgres, trip)
            else:
                yield from self._embedded(worker, embedding)
        yield from self._on(worker.python, python)

    def _embedded(self, worker: "_Worker", milliseconds: float) -> Wait:
        with worker.embedder.request() as turn:
            yield turn
            for _ in range(_HAND_OVERS):
                yield from self._core(milliseconds / _HAND_OVERS, embedding=True)
                yield from self._let_in(worker)

    def _let_in(self, worker: "_Worker") -> Wait:
        with worker.python.request() as lock:
            yield lock

    def _on(self, process: simpy.Resource, milliseconds: float) -> Wait:
        """Work in a process that does one thing at a time, in slices, so that none blocks it for long."""
        left = milliseconds
        while left > 0:
            with process.request() as turn:
                yield turn
                yield from self._core(min(left, _INTERPRETER_MS))
            left -= _INTERPRETER_MS

    def _core(self, milliseconds: float, *, embedding: bool = False) -> Wait:
        """Use a core for so long, in slices where cores are shared."""
        if not self._cores:
            yield self._env.timeout(milliseconds)
            return
        left = milliseconds
        while left > 0:
            left -= yield from self._slice(left, embedding=embedding)

    def _slice(self, left: float, *, embedding: bool) -> Generator[simpy.Event, Any, float]:
        """Use an idle core if there is one; else wait on any, and move to another at a tick that finds it idle."""
        number = self._idle()
        if number is None:
            number = self._dice.randrange(len(self._cores))
        turn = self._cores[number].request()
        while not turn.triggered:
            yield turn | self._env.timeout(_TICK_MS)
            idle = self._idle()
            if idle is not None and not turn.triggered:
                turn.cancel()
                number, turn = idle, self._cores[idle].request()
        slowness = self._weather.slowness(number, self._env.now, embedding=embedding)
        done = min(left, _TICK_MS / slowness)
        yield self._env.timeout(done * slowness)
        self._cores[number].release(turn)
        return done

    def _idle(self) -> int | None:
        idle = [number for number, core in enumerate(self._cores) if not core.count]
        return self._dice.choice(idle) if idle else None
