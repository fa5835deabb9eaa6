"""One round of chaos, from the first message to the books; it knows nothing of other rounds."""

import asyncio
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

import psycopg

from tests.benchmarks.messages import samples
from tests.chaos.accounts import MOVING, Outside, judged, tampering, waiting_hints
from tests.chaos.estate import Estate, estate
from tests.chaos.faults import Fault, Injector, plan
from tests.chaos.traffic import Approver, Helpdesk
from tests.soak.accounts import reader

# Longer than the longest pause between two attempts at one event.
_QUIET_SECONDS = 420.0
_LOOK_SECONDS = 0.5
_COUNTS: Mapping[str, int] = {"api": 2, "worker": 2, "relay": 1, "scheduler": 1}


@dataclass(frozen=True)
class Round:
    """What one round is made of."""

    seed: int
    broker: str
    tickets: int
    faults: int
    per_second: float
    without: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=lambda: dict(_COUNTS))

    def run(self, told: Callable[[str], None]) -> dict[str, Any]:
        """Send, break, wait for quiet, and count; `told` hears how far it is."""
        with estate(self.broker, self.tickets) as made:
            made.start(self.counts)
            return asyncio.run(self._run(made, told))

    async def _run(self, made: Estate, told: Callable[[str], None]) -> dict[str, Any]:
        began = time.monotonic()
        helpdesk = Helpdesk(made.urls, self.seed)
        approver, injector = Approver(made.urls[0], made.postgres.conninfo), Injector(made)
        messages = samples(self.tickets, series=f"C{self.seed % 1_000}x")
        approving = asyncio.create_task(approver.work())
        breaking = asyncio.create_task(self._break(injector, helpdesk, told))
        await helpdesk.send(messages, self.per_second)
        await breaking
        sent = time.monotonic()
        moving = await _quiet(made, told)
        approving.cancel()
        with suppress(asyncio.CancelledError):
            await approving
        moving = await _quiet(made, told)
        line = await self._told(made, helpdesk, approver)
        return {
            **line,
            "faults": dict(injector.injected),
            "impossible": dict(injector.impossible),
            "moving": moving,
            "sent_seconds": round(sent - began, 1),
            "quiet_seconds": round(time.monotonic() - sent, 1),
        }

    async def _break(self, injector: Injector, helpdesk: Helpdesk, told: Callable[[str], None]) -> None:
        faults = plan(self.seed, faults=self.faults, tickets=self.tickets, without=self.without)
        for number, fault in enumerate(faults, 1):
            await _flowed(helpdesk, fault)
            done = f"{len(helpdesk.accepted):,} of {self.tickets:,} accepted"
            told(f"{done}; fault {number} of {len(faults)}: {fault.kind}")
            await asyncio.to_thread(injector.inject, fault)

    async def _told(self, made: Estate, helpdesk: Helpdesk, approver: Approver) -> dict[str, Any]:
        data = made.disk / "data"
        outside = Outside(helpdesk.accepted, approver.clicks, made.mail.taken, data / "payments.db")
        engine = reader(made.postgres.url)
        verdict, books = judged(engine, outside)
        engine.dispose()
        verdict.lost += await tampering(made.postgres.url, data / "anchor.json")
        if hints := waiting_hints(made.broker.url, "chaos"):
            verdict.lost.append(f"{hints} hints still lie in the broker")
        ends: dict[str, int] = {}
        for row in books.executions.values():
            ends[row["status"]] = ends.get(row["status"], 0) + 1
        return {
            "seed": self.seed,
            "broker": self.broker,
            "tickets": len(helpdesk.accepted),
            "deliveries": helpdesk.tries,
            "statuses": {str(status): count for status, count in helpdesk.statuses.items()},
            "clicks": len(approver.clicks),
            "refused": approver.refused,
            "effects": len(books.effects),
            "ends": ends,
            "ended_by_themselves": dict(made.ended_by_themselves),
            **asdict(verdict),
        }


async def _flowed(helpdesk: Helpdesk, fault: Fault) -> None:
    while len(helpdesk.accepted) < fault.after:  # noqa: ASYNC110 - looked at, not told of
        await asyncio.sleep(0.05)


async def _quiet(made: Estate, told: Callable[[str], None]) -> int:
    """Wait until nothing moves; how much still does when nothing has moved on for as long as patience lasts."""
    until, moving, least = time.monotonic() + _QUIET_SECONDS, -1, sys.maxsize
    while time.monotonic() < until:
        with suppress(psycopg.OperationalError):
            async with await psycopg.AsyncConnection.connect(made.postgres.conninfo, connect_timeout=3) as connection:
                found = await (await connection.execute(MOVING)).fetchone()
            moving = int(found[0]) if found else -1
            if moving == 0:
                return 0
            if moving < least:
                least, until = moving, time.monotonic() + _QUIET_SECONDS
            told(f"{moving:,} still move")
        await asyncio.sleep(_LOOK_SECONDS)
    return moving
