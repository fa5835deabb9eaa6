"""How fast each core is from moment to moment: on a shared host a neighbour may take half of it, for ms or minutes."""

import json
import os
import time
from dataclasses import dataclass, field

from tests.load.sampling import Sampler

_TEXT = json.dumps([{"id": at, "words": ["late", "parcel", str(at)], "at": at / 7} for at in range(60)])


@dataclass
class Speed(Sampler):
    """Samples of what a fixed piece of work costs on each core: when (monotonic seconds), and milliseconds by core.

    It is the processor time of the work that is taken, so that waiting for a core that is busy does not count.
    """

    every: float = field(default=0.1, kw_only=True)
    at: list[float] = field(default_factory=list)
    by_core: dict[int, list[float]] = field(
        default_factory=lambda: {core: [] for core in sorted(os.sched_getaffinity(0))}
    )

    def look(self) -> None:
        self.at.append(time.monotonic())
        for core, found in self.by_core.items():
            os.sched_setaffinity(0, {core})  # of this thread alone
            piece_of_work()  # whose data and code are then near the core
            found.append(piece_of_work())

    def since(self, began: float) -> dict[str, list[float]]:
        """Seconds after a begin, and milliseconds on each core then; what was sampled before it is left out."""
        kept = [number for number, at in enumerate(self.at) if at >= began]
        shown = {f"core {core}": [round(found[at], 4) for at in kept] for core, found in self.by_core.items()}
        return {"at": [round(self.at[at] - began, 2) for at in kept], **shown}


def piece_of_work() -> float:
    """Some tenths of a millisecond of what an interpreter does all day; returns what it cost."""
    began = time.thread_time()
    rows = json.loads(_TEXT)
    words: dict[str, int] = {}
    for row in rows:
        for word in row["words"]:
            words[word] = words.get(word, 0) + int(row["at"])
    json.dumps(sorted(words.items()))
    return (time.thread_time() - began) * 1_000
