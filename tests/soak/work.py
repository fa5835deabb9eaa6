"""Keeps pieces of work running until there was enough of each kind; it shows nothing."""

import json
import os
import shutil
import signal
from dataclasses import dataclass, field
from pathlib import Path

from tests.soak import child
from tests.soak.ground import Ground
from tests.soak.state import State, is_broken

RENEWED = 60  # pieces of work from one template before it is made anew


@dataclass
class Kind:
    """A kind of work: how much is wanted of it, how it is counted, and on which databases it runs."""

    name: str
    counted: str
    wanted: int
    state: State
    grounds: tuple[Ground, ...]
    every: int = 2  # one of so many runs on the last of the grounds
    laid: dict[str, int] = field(default_factory=dict)
    running: int = 0

    @property
    def done(self) -> int:
        """How much of it is finished."""
        return self.state.total(self.counted)

    def ground_of(self, seed: int) -> Ground:
        """The database for a seed, with a template not older than allowed."""
        ground = self.grounds[-1 if seed % self.every == 0 else 0]
        if self.laid.get(ground.kind, 0) % RENEWED == 0:
            ground.furnish()
        self.laid[ground.kind] = self.laid.get(ground.kind, 0) + 1
        return ground


@dataclass
class Running:
    """A piece of work that runs now."""

    kind: Kind
    ground: Ground
    folder: Path
    seed: int
    process: int = 0
    kills: int = 0


@dataclass
class Work:
    """All that runs, `workers` at a time; walks and batches in turn."""

    kinds: tuple[Kind, ...]
    workers: int
    kills: float
    running: list[Running] = field(default_factory=list)
    seeds: dict[str, int] = field(default_factory=dict)

    @property
    def busy(self) -> bool:
        """Whether anything runs or is still to be done."""
        return bool(self.running) or any(kind.done < kind.wanted for kind in self.kinds)

    def step(self) -> None:
        """Look after what runs, and start what is missing."""
        for each in list(self.running):
            code = child.ended(each.process)
            if code == -signal.SIGKILL:
                each.kills += 1
                self._start(each)
            elif code is not None:
                self.running.remove(each)
                self._finish(each, code)
        while len(self.running) < self.workers and (kind := self._missing()) is not None:
            seed = max(kind.state.next_seed, self.seeds.get(kind.name, 0) + 1)
            self.seeds[kind.name] = seed
            ground = kind.ground_of(seed)
            self.running.append(Running(kind, ground, ground.lay(str(seed)), seed))
            kind.running += 1
            self._start(self.running[-1])

    def stop(self) -> None:
        """End what runs; it is begun anew another time."""
        for each in self.running:
            os.kill(each.process, signal.SIGKILL)
            os.waitpid(each.process, 0)
            each.ground.clear(str(each.seed))
        for ground in (ground for kind in self.kinds for ground in kind.grounds):
            ground.clear("template")

    def _missing(self) -> Kind | None:
        """Of those that are not done the kind of which least is running, and then the one that is furthest behind."""
        missing = [kind for kind in self.kinds if kind.done < kind.wanted]
        return min(missing, key=lambda kind: (kind.running, kind.done / kind.wanted), default=None)

    def _start(self, each: Running) -> None:
        url = each.ground.url(str(each.seed), each.folder)
        if each.kind.counted == "steps":
            each.process = child.walk(url, each.folder, each.seed)
        else:
            each.process = child.batch(url, each.folder, each.seed, self.kills)

    def _finish(self, each: Running, code: int) -> None:
        each.kind.running -= 1
        if code:
            raise RuntimeError(f"{each.kind.name} {each.seed} ended with {code}:\n{(each.folder / 'log').read_text()}")
        line = json.loads((each.folder / child.RESULT).read_text()) | {"kills": each.kills, "kind": each.ground.kind}
        each.kind.state.add(line)
        if is_broken(line):
            kept = each.kind.state.file.parent / "broken" / f"{each.kind.name}-{each.seed}"
            shutil.copytree(each.folder, kept, dirs_exist_ok=True)
        each.ground.clear(str(each.seed))
