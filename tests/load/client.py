"""The load generator, a process of its own: sends at given rates whatever comes back, sees when cards are ready."""

import asyncio
import json
import sqlite3
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Protocol

import httpx
import psycopg

from tests.benchmarks.messages import Sample, samples
from tests.peers.product import signed

_LOOK_SECONDS = 0.01
# Ten seconds: a commit may come so much later than the instant at which its run says that it ended.
_LATELY = (
    "SELECT t.external_id FROM runs r JOIN tickets t ON t.id = r.ticket_id"
    " WHERE r.status = 'finished' AND r.finished_at > now() - interval '10 seconds'"
)
_LATELY_IN_FILE = _LATELY.replace(
    "now() - interval '10 seconds'", "strftime('%Y-%m-%dT%H:%M:%S', 'now', '-10 seconds')"
)


@dataclass(frozen=True)
class Order:
    """What to send: each of `rates` (messages a second) for its seconds; how long to wait for the last cards."""

    url: str
    database: str
    series: str
    first: int
    rates: tuple[tuple[float, float], ...]
    patience: float


@dataclass
class Tally:
    """What came back, by message in the order of sending; milliseconds, None for what did not come."""

    began: float = 0.0  # on the machine's monotonic clock
    sent_at: list[float] = field(default_factory=list)
    webhook_ms: list[float | None] = field(default_factory=list)
    card_ms: list[float | None] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    sending_seconds: float = 0.0
    seconds: float = 0.0
    backlog: int = 0
    client_seconds: float = 0.0


class Cards(Protocol):
    """Sees finished runs as another process does."""

    async def finished(self) -> Sequence[str]:
        """External ids of tickets whose runs have lately finished; the same may come again."""
        ...


@dataclass
class PostgresCards:
    """Looks at what has finished in the last seconds."""

    connection: psycopg.AsyncConnection

    async def finished(self) -> Sequence[str]:
        return [str(row[0]) for row in await (await self.connection.execute(_LATELY)).fetchall()]


@dataclass
class SqliteCards:
    """The same in a file, where something was committed since the last look."""

    connection: sqlite3.Connection
    _version: int = -1

    async def finished(self) -> Sequence[str]:
        version = int(self.connection.execute("PRAGMA data_version").fetchone()[0])
        if version == self._version:
            return ()
        self._version = version
        return [str(row[0]) for row in self.connection.execute(_LATELY_IN_FILE)]


async def carried_out(order: Order) -> Tally:
    """Send everything and wait for the cards."""
    count = round(sum(rate * seconds for rate, seconds in order.rates))
    messages = samples(count, series=order.series, first=order.first)
    tally = Tally(webhook_ms=[None] * count, card_ms=[None] * count)
    if order.database.startswith("sqlite"):
        connection = sqlite3.connect(f"file:{order.database.partition(':///')[2]}?mode=ro", uri=True)
        await _carried_out(order, messages, tally, SqliteCards(connection))
        connection.close()
        return tally
    conninfo = order.database.replace("+psycopg", "")
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as beside:
        await _carried_out(order, messages, tally, PostgresCards(beside))
    return tally


async def _carried_out(order: Order, messages: Sequence[Sample], tally: Tally, cards: Cards) -> None:
    numbers = {sample.ticket: at for at, sample in enumerate(messages)}
    began = tally.began = time.monotonic()
    watching = asyncio.create_task(_watched(cards, numbers, tally, order.patience))
    limits = httpx.Limits(max_connections=400, max_keepalive_connections=100)
    async with httpx.AsyncClient(base_url=order.url, timeout=30, trust_env=False, limits=limits) as http:
        async with asyncio.TaskGroup() as group:
            for at, (due, sample) in enumerate(zip(_due(order.rates), messages, strict=False)):
                await asyncio.sleep(max(0.0, began + due - time.monotonic()))
                tally.sent_at.append(time.monotonic())
                group.create_task(_post(http, sample, at, tally))
            tally.sending_seconds = time.monotonic() - began
            tally.backlog = sum(card is None for card in tally.card_ms[: len(tally.sent_at)])
        await watching
    tally.seconds = time.monotonic() - began
    tally.sent_at = [at - began for at in tally.sent_at]


def _due(rates: Sequence[tuple[float, float]]) -> list[float]:
    """Seconds after the begin at which each message is due, evenly within each rate."""
    due, start = [], 0.0
    for rate, seconds in rates:
        due += [start + at / rate for at in range(round(rate * seconds))]
        start += seconds
    return due


async def _post(http: httpx.AsyncClient, sample: Sample, at: int, tally: Tally) -> None:
    raw = sample.body()
    began = time.monotonic()
    try:
        status = str((await http.post("/webhooks/standard", content=raw, headers=signed(raw))).status_code)
    except httpx.TransportError as error:
        status = type(error).__name__
    tally.webhook_ms[at] = (time.monotonic() - began) * 1_000
    tally.statuses[status] = tally.statuses.get(status, 0) + 1


async def _watched(cards: Cards, numbers: dict[str, int], tally: Tally, patience: float) -> None:
    """Look until every card is there, or for so long after the last was."""
    missing, last = set(numbers), time.monotonic()
    while missing and time.monotonic() < last + patience:
        for ticket in missing.intersection(await cards.finished()):
            now = last = time.monotonic()
            at = numbers[ticket]
            tally.card_ms[at] = (now - tally.sent_at[at]) * 1_000
            missing.discard(ticket)
        await asyncio.sleep(_LOOK_SECONDS)


def main() -> None:
    """Read an order from standard input, print the tally."""
    given = json.loads(sys.stdin.read())
    order = Order(**{**given, "rates": tuple((rate, seconds) for rate, seconds in given["rates"])})
    tally = asyncio.run(carried_out(order))
    tally.client_seconds = time.process_time()
    print(json.dumps(asdict(tally)))  # noqa: T201


if __name__ == "__main__":
    main()
