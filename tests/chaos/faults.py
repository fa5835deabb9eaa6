"""The faults of a round: a seeded plan of them, and how each is done to an estate; nothing is judged here."""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.chaos.estate import Estate

# What is worth meeting more often has more weight. Killing is what the issue asks about first.
WEIGHTS: Mapping[str, int] = {
    "kill api": 10,
    "kill worker": 14,
    "kill relay": 8,
    "kill scheduler": 6,
    "pause worker": 5,
    "postgres sends all away": 8,
    "postgres killed": 4,
    "postgres restarted": 3,
    "postgres cut": 6,
    "postgres held up": 4,
    "postgres slow": 4,
    "broker killed": 6,
    "broker cut": 6,
    "broker held up": 3,
    "broker slow": 3,
    "qdrant gone": 6,
    "mail server gone": 5,
    "mail answer lost": 5,
    "disk full": 4,
    "clock behind": 3,
}
_BALLAST_LEFT = 4_096
_CLOCK_BEHIND = """
UPDATE outbox SET created_at = now() + interval '8 seconds'
WHERE id = (SELECT id FROM outbox ORDER BY id DESC LIMIT 1)
"""


@dataclass(frozen=True)
class Fault:
    """One fault, to be injected once so many tickets are accepted; `seconds` is how long it lasts."""

    after: int
    kind: str
    seconds: float
    which: int


def plan(seed: int, *, faults: int, tickets: int, without: Sequence[str] = ()) -> list[Fault]:
    """Return the plan of a seed; every kind is met before any is drawn by its weight, if there are so many."""
    dice = random.Random(seed)  # noqa: S311 - chance, no secret
    kinds = [kind for kind in WEIGHTS if kind not in without]
    dice.shuffle(kinds)
    drawn = kinds[:faults]
    drawn += dice.choices(kinds, [WEIGHTS[kind] for kind in kinds], k=faults - len(drawn))
    dice.shuffle(drawn)
    return [
        Fault(after=at * tickets // faults, kind=kind, seconds=dice.uniform(0.3, 2.0), which=dice.randrange(100))
        for at, kind in enumerate(drawn)
    ]


@dataclass
class Injector:
    """Carries the plan out while tickets flow; what was injected is counted once it has happened."""

    estate: Estate
    injected: Counter[str] = field(default_factory=Counter)
    impossible: Counter[str] = field(default_factory=Counter)

    def inject(self, fault: Fault) -> None:
        """Do it, and mend it after its time."""
        if self._way(fault)(fault):
            self.injected[fault.kind] += 1
        else:
            self.impossible[fault.kind] += 1

    def _way(self, fault: Fault) -> Callable[[Fault], bool]:
        name, _, rest = fault.kind.partition(" ")
        if name == "kill":
            return self._kill
        ways = {
            "pause worker": self._pause,
            "postgres sends all away": self._send_away,
            "postgres killed": self._restarted,
            "postgres restarted": self._restarted,
            "broker killed": self._broker_killed,
            "mail answer lost": self._answer_lost,
            "disk full": self._disk_full,
            "clock behind": self._clock_behind,
        }
        assert fault.kind in ways or rest in {"cut", "held up", "slow", "gone", "server gone"}
        return ways.get(fault.kind, self._network)

    def _kill(self, fault: Fault) -> bool:
        """SIGKILL one process; the supervisor starts another."""
        if not (living := self.estate.posts(fault.kind.partition(" ")[2])):
            return False
        self.estate.away(living[fault.which % len(living)], fault.seconds)
        return True

    def _pause(self, fault: Fault) -> bool:
        """A worker stands still for longer than its lease, then goes on with what is not its own any more."""
        if not (living := self.estate.posts("worker")):
            return False
        self.estate.stand_still(living[fault.which % len(living)], 3.0 + fault.seconds)
        return True

    def _send_away(self, _: Fault) -> bool:
        with suppress(psycopg.OperationalError):
            return self.estate.postgres.send_away() > 0
        return False

    def _restarted(self, fault: Fault) -> bool:
        """End the server, by SIGKILL of all its processes or in order, and start it again."""
        server = self.estate.postgres
        if fault.kind == "postgres killed":
            server.kill()
        else:
            server.stop()
        time.sleep(fault.seconds)
        server.start()
        return True

    def _broker_killed(self, fault: Fault) -> bool:
        """What the broker held is gone with it."""
        self.estate.broker.kill()
        time.sleep(fault.seconds)
        self.estate.broker.start()
        return True

    def _network(self, fault: Fault) -> bool:
        """Cut, hold up or slow down the way to one server."""
        name, _, how = fault.kind.partition(" ")
        proxy = self.estate.proxies[name]
        if how == "slow":
            proxy.delay = 0.02 + 0.01 * (fault.which % 4)
        elif how == "held up":
            proxy.hold()
        else:
            proxy.cut()
        time.sleep(fault.seconds * (2 if how == "held up" else 1))
        proxy.mend()
        return True

    def _answer_lost(self, fault: Fault) -> bool:
        """The mail server takes letters and hangs up instead of saying so."""
        mail, before = self.estate.mail, len(self.estate.mail.taken)
        mail.drop_after_data = True
        time.sleep(fault.seconds)
        mail.drop_after_data = False
        return len(mail.taken) > before

    def _disk_full(self, fault: Fault) -> bool:
        """Nothing can be written on the file system of database and data folder, until room is made again."""
        if not self.estate.own_disk:
            return False
        with _filled(self.estate.disk):
            time.sleep(fault.seconds)
        # The server may have ended for want of room: a supervisor starts it again.
        if not self.estate.postgres.answers():
            self.estate.postgres.kill()
            self.estate.postgres.start()
        return True

    def _clock_behind(self, _: Fault) -> bool:
        """The database has seen a later time than the present, as after its clock went back by eight seconds."""
        with suppress(psycopg.OperationalError), psycopg.connect(self.estate.postgres.conninfo) as connection:
            return connection.execute(_CLOCK_BEHIND).rowcount == 1
        return False


@contextmanager
def _filled(disk: Path) -> Iterator[None]:
    """Take all that is left, again and again: what others give back is gone at once."""
    ballast, over = disk / "ballast", threading.Event()

    def fill() -> None:
        with ballast.open("ab") as file:
            while not over.is_set():
                found = os.statvfs(disk)
                if (left := found.f_bavail * found.f_frsize) > _BALLAST_LEFT:
                    with suppress(OSError):
                        os.posix_fallocate(file.fileno(), file.tell(), left)
                        file.seek(0, os.SEEK_END)
                over.wait(0.02)

    filling = threading.Thread(target=fill, name="ballast")
    filling.start()
    try:
        yield
    finally:
        over.set()
        filling.join()
        ballast.unlink()
