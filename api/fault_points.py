"""Kills this process at a named commit boundary, for the tests that prove that a crash loses nothing; tests only."""

import os
import signal
from collections.abc import Callable

from api.settings import Settings
from db.engine import no_boundary
from support_agents.domain.errors import SupportError

Boundary = Callable[[str, str], None]


def boundary_of(settings: Settings) -> Boundary:
    """Return what the database calls around each commit: nothing, unless `testing` and `fault_point` are both set."""
    if not (settings.testing and settings.fault_point):
        return no_boundary
    side, label, nth = _read(settings.fault_point)
    met = 0

    def boundary(at_side: str, at_label: str) -> None:
        nonlocal met
        if (at_side, at_label) == (side, label):
            met += 1
            if met == nth:
                os.kill(os.getpid(), signal.SIGKILL)

    return boundary


def _read(point: str) -> tuple[str, str, int]:
    side, _, rest = point.partition(":")
    label, _, nth = rest.partition(":")
    if side not in {"before", "after"} or not label or not (nth or "1").isdigit():
        raise SupportError("settings", "a fault point is `before:LABEL`, `after:LABEL` or `after:LABEL:N`")
    return side, label, int(nth or "1")
