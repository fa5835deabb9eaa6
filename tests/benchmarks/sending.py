"""Sends messages as signed webhooks and notes when each card was ready, seen by another process; it judges nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx

from tests.benchmarks.installation import Records, url_of
from tests.benchmarks.messages import Sample
from tests.peers.product import Product, signed

_LONGEST_SECONDS = 120.0
_BETWEEN_LOOKS = 0.002


@dataclass
class _Watch:
    """Waits for commits of finished runs and notes the instant at which each could be read by others."""

    records: Records
    seen: dict[str, datetime] = field(default_factory=dict)
    _expected: dict[str, asyncio.Event] = field(default_factory=dict)

    async def ready(self, ticket: str) -> None:
        """Wait until the card of this ticket is ready."""
        event = self._expected.setdefault(ticket, asyncio.Event())
        async with asyncio.timeout(_LONGEST_SECONDS):
            await event.wait()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            if self.records.changed():
                now = datetime.now(UTC)
                for _, ticket in self.records.finished(after=0 if not self.seen else self._oldest_open()):
                    self.seen.setdefault(ticket, now)
                    self._expected.setdefault(ticket, asyncio.Event()).set()
            await asyncio.sleep(_BETWEEN_LOOKS)

    def _oldest_open(self) -> int:
        """Rows are few while others run: looking back a little finds runs that ended out of order."""
        return max(0, len(self.seen) - 200)


async def send_all(running: Product, messages: Sequence[Sample], *, at_once: int) -> dict[str, datetime]:
    """Send each message when an earlier one's card is ready; return by ticket when the card could be read."""
    records = Records(running.folder)
    watch, queue = _Watch(records), list(reversed(messages))
    looking = asyncio.create_task(watch.run())
    try:
        async with httpx.AsyncClient(base_url=url_of(running), timeout=60, trust_env=False) as http:
            await asyncio.gather(*(_customer(http, watch, queue) for _ in range(at_once)))
    finally:
        looking.cancel()
        records.close()
    return watch.seen


async def _customer(http: httpx.AsyncClient, watch: _Watch, queue: list[Sample]) -> None:
    while queue:
        sample = queue.pop()
        raw = sample.body()
        answer = await http.post("/webhooks/standard", content=raw, headers=signed(raw))
        answer.raise_for_status()
        await watch.ready(sample.ticket)
