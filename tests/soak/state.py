"""What a soak remembers in its folder, so that it can be stopped at any time and gone on with."""

import json
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BREAKS = ("unapproved", "doubled", "lost", "defects")
Line = dict[str, Any]


@dataclass
class State:
    """One line per finished piece of work, in the order in which they ended."""

    file: Path
    lines: list[Line] = field(default_factory=list)

    @classmethod
    def open(cls, file: Path) -> "State":
        """Read what is there; a last line cut off by a crash counts as never written."""
        file.parent.mkdir(parents=True, exist_ok=True)
        written = file.read_text().splitlines() if file.exists() else []
        return cls(file, [line for line in map(_read, written) if line is not None])

    def add(self, line: Line) -> None:
        """Append what is finished, on disk before this returns."""
        self.lines.append(line)
        with self.file.open("a") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def total(self, name: str) -> int:
        """The sum of a number over all lines; of a list, how many are in it."""
        found = (line.get(name, 0) for line in self.lines)
        return sum(len(value) if isinstance(value, list) else value for value in found)

    def counts(self, name: str) -> Counter[str]:
        """The sum of a table over all lines."""
        return sum((Counter(line[name]) for line in self.lines), Counter())

    @property
    def next_seed(self) -> int:
        """A seed that has not been used."""
        return max((line["seed"] for line in self.lines), default=0) + 1

    @property
    def broken(self) -> list[Line]:
        """What something was found in."""
        return [line for line in self.lines if is_broken(line)]


def is_broken(line: Line) -> bool:
    """Whether anything was found."""
    return any(line.get(kind) for kind in BREAKS)


def found(lines: list[Line]) -> list[str]:
    """Every break, with its seed."""
    return [f"seed {line['seed']}: {kind}: {what}" for line in lines for kind in BREAKS for what in line.get(kind, ())]


def _read(line: str) -> Line | None:
    try:
        read: Line = json.loads(line)
    except ValueError:
        return None
    return read
