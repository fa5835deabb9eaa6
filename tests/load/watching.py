"""Reads from the kernel what processes use, ours and all of the machine: processor seconds and resident memory."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import linear_regression

from tests.benchmarks.installation import _TICKS, cpu_seconds, resident_mb
from tests.load.sampling import Sampler

# Not fitted: caches fill, and after ten minutes the statistics of unusual runs load their libraries, 150 MB at once.
SETTLING_SECONDS = 15 * 60.0
# A line through less than this says nothing about an hour.
FITTED_MINUTES = 20.0
_FEWEST = 3


def busy_seconds() -> float:
    """Processor seconds that the machine has spent on anything, all cores together."""
    fields = [int(each) for each in Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]]
    return (sum(fields) - fields[3] - fields[4]) / _TICKS


def family(pid: int) -> tuple[int, ...]:
    """A process and its children's children."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            head, _, rest = stat.read_text(encoding="ascii", errors="replace").rpartition(")")
            children.setdefault(int(rest.split()[1]), []).append(int(head.split()[0]))
    found, left = [], [pid]
    while left:
        found.append(left.pop())
        left += children.get(found[-1], [])
    return tuple(found)


def used(pids: Mapping[str, int]) -> dict[str, float]:
    """Processor seconds by name; a server counts with the processes it has made, ended ones only if it waited."""
    seconds = {}
    for name, pid in pids.items():
        total = 0.0
        for each in family(pid):
            with suppress(OSError):
                total += cpu_seconds(each)
        seconds[name] = total
    return seconds


def by_thread(pid: int) -> dict[int, float]:
    """Processor seconds of each thread that a process has now."""
    seconds = {}
    for each in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(OSError):
            fields = each.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
            seconds[int(each.parent.name)] = (int(fields[11]) + int(fields[12])) / _TICKS
    return seconds


@dataclass
class Memory(Sampler):
    """Samples of resident memory while a soak goes on: seconds after its making, and MB of each process."""

    pids: Mapping[str, int]
    every: float = field(default=2.0, kw_only=True)
    told: Callable[[float], None] = lambda _: None
    samples: list[tuple[float, dict[str, float]]] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)

    def look(self) -> None:
        seconds = time.monotonic() - self._began
        self.samples.append((seconds, {name: resident_mb(pid)["VmRSS"] for name, pid in self.pids.items()}))
        self.told(seconds)

    def slopes(self) -> dict[str, "Slope"]:
        """MB an hour of each process, fitted to what came after the settling; of a shorter soak nothing is fitted."""
        kept = [(at, mb) for at, mb in self.samples if at >= SETTLING_SECONDS]
        if len(kept) < _FEWEST:
            _, last = self.samples[-1] if self.samples else (0.0, dict.fromkeys(self.pids, 0.0))
            return {name: Slope(0.0, 0.0, last[name], 0.0) for name in self.pids}
        return {name: _slope([(at / 3_600, mb[name]) for at, mb in kept]) for name in self.pids}


@dataclass(frozen=True)
class Slope:
    """A fitted line: MB an hour, its standard error, the memory at its end, and how many minutes were fitted."""

    mb_an_hour: float
    error: float
    last_mb: float
    minutes: float = 0.0

    @property
    def tells(self) -> bool:
        """Whether it was fitted to long enough to say anything."""
        return self.minutes >= FITTED_MINUTES

    @property
    def grows(self) -> bool:
        """Whether more than 1 MB an hour is certain by two standard errors."""
        return self.tells and self.mb_an_hour - 2 * self.error > 1.0

    @property
    def is_flat(self) -> bool:
        """Whether more than 1 MB an hour can be excluded by two standard errors."""
        return self.tells and self.mb_an_hour + 2 * self.error <= 1.0


def _slope(points: list[tuple[float, float]]) -> Slope:
    hours, mb = [at for at, _ in points], [value for _, value in points]
    slope, start = linear_regression(hours, mb)
    mean = sum(hours) / len(hours)
    left = [y - start - slope * x for x, y in points]
    squares = sum(each**2 for each in left)
    error = (squares / max(1, len(points) - 2) / sum((x - mean) ** 2 for x in hours)) ** 0.5
    return Slope(slope, error * _dependence(left, squares), mb[-1], (hours[-1] - hours[0]) * 60)


def _dependence(left: list[float], squares: float) -> float:
    """By how much an error grows because memory moves in steps: what is left of one sample is left of the next."""
    if not squares:
        return 1.0
    alike = sum(one * other for one, other in pairwise(left)) / squares
    alike = min(max(alike, 0.0), 1 - 1 / len(left))
    return float(((1 + alike) / (1 - alike)) ** 0.5)
