"""What goes wrong with one execution, where, and how it ends there; drawn once per execution, from a seed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Site(StrEnum):
    """Where a fault waits."""

    LOOK = "look"
    CALL = "call"
    FIND = "find"
    COMMIT = "commit"


class Fault(StrEnum):
    """What happens there; `abort` ends the task as a crash would, `kill` is SIGKILL of the whole process."""

    REFUSED = "refused"
    NO_CONNECTION = "no_connection"
    TIMES_OUT = "times_out"
    BOOKED_500 = "booked_500"
    BOOKED_TIMES_OUT = "booked_times_out"
    IN_FLIGHT = "in_flight"
    SLEEPS = "sleeps"
    UNREACHABLE = "unreachable"
    ABORT_BEFORE = "abort_before"
    ABORT_AFTER = "abort_after"
    KILL_BEFORE = "kill_before"
    KILL_AFTER = "kill_after"


@dataclass(frozen=True)
class Planned:
    """One fault; `label` names the commit, `number` tells it from others of the same execution."""

    number: int
    site: Site
    fault: Fault
    label: str = ""

    @property
    def name(self) -> str:
        """As it is tallied."""
        return f"{self.site}{':' + self.label if self.label else ''} {self.fault}"


COMMITS = ("execution_intent", "execution_result")
MORE_COMMITS = ("decide", "in_doubt", "reconcile", "mail_marker")
_CALLS = (
    Fault.NO_CONNECTION,
    Fault.TIMES_OUT,
    Fault.BOOKED_500,
    Fault.BOOKED_TIMES_OUT,
    Fault.IN_FLIGHT,
    Fault.ABORT_BEFORE,
    Fault.ABORT_AFTER,
)
_ABORTS = (Fault.ABORT_BEFORE, Fault.ABORT_AFTER)
_KILLS = (Fault.KILL_BEFORE, Fault.KILL_AFTER)


def plan(dice: random.Random, *, kills: float) -> tuple[Planned, ...]:
    """Draw one to four faults, the first where every execution comes by; `kills` is the share of SIGKILLs in it."""
    drawn = [_first(dice, kills=kills)]
    while len(drawn) < 4 and dice.random() < 0.4:
        drawn.append(_further(dice))
    return tuple(Planned(number, *each) for number, each in enumerate(drawn))


def _first(dice: random.Random, *, kills: float) -> tuple[Site, Fault, str]:
    if dice.random() < kills:
        site, label = dice.choice([(Site.CALL, ""), *((Site.COMMIT, label) for label in COMMITS)])
        return site, dice.choice(_KILLS), label
    if dice.random() < 0.6:
        return Site.CALL, dice.choice((*_CALLS, *_CALLS, Fault.REFUSED, Fault.SLEEPS)), ""
    return Site.COMMIT, dice.choice(_ABORTS), dice.choice(COMMITS)


def _further(dice: random.Random) -> tuple[Site, Fault, str]:
    choices: Iterator[tuple[Site, Fault, str]] = iter(
        (
            (Site.CALL, dice.choice(_CALLS), ""),
            (Site.LOOK, Fault.UNREACHABLE, ""),
            (Site.FIND, dice.choice((Fault.UNREACHABLE, Fault.TIMES_OUT, Fault.ABORT_BEFORE)), ""),
            (Site.COMMIT, dice.choice(_ABORTS), dice.choice((*COMMITS, *MORE_COMMITS))),
        )
    )
    return dice.choice(list(choices))
