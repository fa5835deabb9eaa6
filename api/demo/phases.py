"""How long the parts of the demo's start took; it measures and keeps, nothing more."""

import time
from dataclasses import dataclass, field


@dataclass
class Phases:
    """Milliseconds from the start at which each phase was over."""

    began: float = field(default_factory=time.monotonic)
    over: list[tuple[str, float]] = field(default_factory=list)

    def done(self, phase: str) -> None:
        """Note that a phase is over."""
        self.over.append((phase, (time.monotonic() - self.began) * 1_000))

    def lines(self) -> list[str]:
        """Return one line a phase, in the order in which they ended."""
        return [f"{at:8.0f} ms  {phase}" for phase, at in self.over]
