"""Several processes on PostgreSQL and a broker: webhook to card ready, the broker's hop, and a killed worker's run."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import LiteralString
from uuid import uuid4

import httpx
import psycopg

from api.demo import shop
from api.worker.broker import CeleryDispatcher
from api.worker.brokers import Broker
from support_agents.domain.events import EventName, OutboxEvent
from support_agents.domain.ids import DEFAULT_WORKSPACE, OutboxId, new_id
from tests.benchmarks.databases import POSTGRES, conninfo_of, postgresql
from tests.benchmarks.figures import Report, Shown, percentile, spread, table
from tests.benchmarks.installation import cpu_seconds, shop_environment, url_of
from tests.benchmarks.messages import Sample, samples
from tests.fixtures.brokers import URLS, forget
from tests.peers.processes import Processes, processes
from tests.peers.product import signed
from tests.peers.program import COLD

MESSAGES, WARM_UP, PER_SECOND, HINTS = 200, 40, 10.0, 200
CARD_MS, HOP_MS = 250.0, 15.0
# The usual deadline, and the three seconds within which another worker shall have begun a killed one's run again.
KILLED, RESUMED_SECONDS = 5, 2.0 + 3.0
_LOOK_SECONDS, _LONGEST_SECONDS = 0.004, 120.0
_UUID_LENGTH = 36
_DOOMED = 40  # messages kept for one doomed worker
_RESUMED: LiteralString = "SELECT count(*) FROM runs WHERE attempt > 1"


@dataclass(frozen=True)
class Measured:
    """One broker's figures."""

    kind: str
    card_ms: Sequence[float]
    hop_ms: Sequence[float]
    resumed_seconds: Sequence[float]
    cpu_ms: float
    attempts: int


def measure() -> Report:
    """Measure on every broker that answers."""
    if not POSTGRES:
        raise SystemExit("set SUPPORT_TEST_POSTGRES_URL, and SUPPORT_TEST_REDIS_URL or SUPPORT_TEST_RABBITMQ_URL")
    return _report([_measured(kind, url) for kind, url in URLS.items() if url])


def _measured(kind: str, url: str) -> Measured:
    prefix = f"bench-{uuid4().hex[:8]}"
    try:
        hops = asyncio.run(_hops(Broker(url, f"{prefix}-hop", timedelta(seconds=60))))
        with _installed(url, prefix) as running:
            running.start()
            asyncio.run(_sent(running, samples(WARM_UP, series="W")))
            before = _cpu(running)
            took = asyncio.run(_sent(running, samples(MESSAGES, series="D", first=WARM_UP)))
            cpu = (_cpu(running) - before) * 1_000 / MESSAGES
            attempts = _asked(running, "SELECT max(attempt) FROM runs")
            resumed = [_seconds_until_resumed(running, at) for at in range(KILLED)]
        return Measured(kind, took, hops, resumed, cpu, attempts)
    finally:
        forget(url, prefix)
        forget(url, f"{prefix}-hop")


def _seconds_until_resumed(running: Processes, number: int) -> float:
    """Have a worker kill itself after it has begun a run; seconds from its end until another has begun it again."""
    resumed = _asked(running, _RESUMED)
    doomed = running.begin("worker", fault="after:begin_run:1")
    running.await_ready(doomed)
    messages = iter(samples(KILLED * _DOOMED, series="K", first=number * _DOOMED))
    with httpx.Client(base_url=url_of(running), timeout=60, trust_env=False) as http:
        while doomed.process.poll() is None:  # until it was its turn
            raw = next(messages).body()
            http.post("/webhooks/standard", content=raw, headers=signed(raw)).raise_for_status()
            time.sleep(0.2)
    died = time.monotonic()
    while _asked(running, _RESUMED) == resumed:
        if time.monotonic() > died + _LONGEST_SECONDS:
            raise TimeoutError("nobody resumed the run of a worker that was killed")
        time.sleep(_LOOK_SECONDS)
    return time.monotonic() - died


def _asked(running: Processes, query: LiteralString) -> int:
    with psycopg.connect(_conninfo(running)) as connection:
        found = connection.execute(query).fetchone()
    return int(found[0]) if found else 0


def _cpu(running: Processes) -> float:
    return sum(cpu_seconds(each.process.pid) for each in running.running)


def _conninfo(running: Processes) -> str:
    return conninfo_of(running.environment["SUPPORT_DATABASE_URL"])


@contextmanager
def _installed(url: str, prefix: str) -> Iterator[Processes]:
    with TemporaryDirectory(prefix="bench-") as name, postgresql() as database:
        environment = {
            **shop_environment(Path(name), WARM_UP + MESSAGES + KILLED * _DOOMED),
            "SUPPORT_DATABASE_URL": database,
            "SUPPORT_BROKER_URL": url,
            "SUPPORT_BROKER_PREFIX": prefix,
        }
        with processes(Path(name) / "data", environment, COLD) as made:
            made.command("db", "upgrade")
            made.command("kb", "sync", str(shop.ARTICLES))
            yield made


async def _sent(running: Processes, messages: Sequence[Sample]) -> list[float]:
    """Send at an even pace whatever becomes of earlier ones; milliseconds from each first byte to a card to be read."""
    began: dict[str, float] = {}
    watching = asyncio.create_task(_watched(_conninfo(running), {sample.ticket for sample in messages}))
    async with httpx.AsyncClient(base_url=url_of(running), timeout=60, trust_env=False) as http:
        first = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for at, sample in enumerate(messages):
                await asyncio.sleep(max(0.0, first + at / PER_SECOND - time.monotonic()))
                raw = sample.body()
                headers = signed(raw)
                began[sample.ticket] = time.monotonic()
                group.create_task(_post(http, raw, headers))
    ready = await watching
    return [(ready[ticket] - at) * 1_000 for ticket, at in began.items()]


async def _post(http: httpx.AsyncClient, raw: bytes, headers: dict[str, str]) -> None:
    (await http.post("/webhooks/standard", content=raw, headers=headers)).raise_for_status()


async def _watched(conninfo: str, tickets: set[str]) -> dict[str, float]:
    """Look every few milliseconds which runs' records can be read by others, until all can."""
    query = (
        "SELECT t.external_id FROM runs r JOIN tickets t ON t.id = r.ticket_id"
        " WHERE r.status = 'finished' AND t.external_id = ANY(%s)"
    )
    seen: dict[str, float] = {}
    async with (
        asyncio.timeout(_LONGEST_SECONDS),
        await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection,
    ):
        while len(seen) < len(tickets):
            found = await (await connection.execute(query, ([*tickets - seen.keys()],))).fetchall()
            now = time.monotonic()
            seen.update((str(ticket), now) for (ticket,) in found)
            await asyncio.sleep(_LOOK_SECONDS)
    return seen


async def _hops(broker: Broker) -> list[float]:
    """Milliseconds from handing a hint on to the start of its work in another process."""
    words = [sys.executable, "-m", "tests.benchmarks.hop", broker.url, broker.prefix]
    far = await asyncio.create_subprocess_exec(*words, stdout=subprocess.PIPE)
    dispatcher = CeleryDispatcher(broker)
    started: dict[str, float] = {}
    reading = asyncio.create_task(_read(far, started))
    first = _event()
    await dispatcher.dispatch(first)
    async with asyncio.timeout(_LONGEST_SECONDS):
        while str(first.id) not in started:  # noqa: ASYNC110 - another process is waited for
            await asyncio.sleep(_LOOK_SECONDS)
    began: dict[str, float] = {}
    for _ in range(HINTS):
        event = _event()
        began[str(event.id)] = time.monotonic()
        await dispatcher.dispatch(event)
        await asyncio.sleep(1 / PER_SECOND)
    await dispatcher.close()
    far.terminate()
    await reading
    await far.wait()
    return [(started[event] - at) * 1_000 for event, at in began.items()]


async def _read(far: asyncio.subprocess.Process, into: dict[str, float]) -> None:
    """Note when each hint's work began, until the other process ends."""
    assert far.stdout is not None
    async for line in far.stdout:
        match line.decode().split():
            case [event, at] if len(event) == _UUID_LENGTH:
                into[event] = float(at)


def _event() -> OutboxEvent:
    return OutboxEvent(
        id=OutboxId(new_id()),
        workspace=DEFAULT_WORKSPACE,
        name=EventName.TICKET_RECEIVED,
        subject=new_id(),
        attempts=0,
    )


def _report(found: Sequence[Measured]) -> Report:
    columns = ("", "count", "p50", "p95", "p99", "max")
    rows = []
    for one in found:
        rows.append((f"{one.kind}: webhook to card ready", len(one.card_ms), *spread(one.card_ms).values()))
        rows.append((f"{one.kind}: broker hop", len(one.hop_ms), *spread(one.hop_ms).values()))
    shown = []
    for one in found:
        card, hop = percentile(one.card_ms, 0.95), percentile(one.hop_ms, 0.95)
        shown.append(Shown(f"{one.kind}: card ready p95 {card:.0f} ms ≤ {CARD_MS:.0f} ms", card <= CARD_MS))
        longest = max(one.resumed_seconds)
        what = f"{one.kind}: runs of {KILLED} killed workers resumed within {longest:.1f} s ≤ {RESUMED_SECONDS:.0f} s"
        shown.append(Shown(what, longest <= RESUMED_SECONDS))
        shown.append(Shown(f"{one.kind}: broker hop p95 {hop:.1f} ms ≤ {HOP_MS:.0f} ms", hop <= HOP_MS))
    figures = {
        one.kind: {
            "card_ready_ms": spread(one.card_ms),
            "broker_hop_ms": spread(one.hop_ms),
            "killed_workers_run_resumed_seconds": [round(each, 2) for each in one.resumed_seconds],
            "processor_ms_per_ticket": round(one.cpu_ms, 1),
            "most_attempts": one.attempts,
        }
        for one in found
    }
    title = f"milliseconds at {PER_SECOND:.0f} tickets a second: API, relay, worker and scheduler, one of each"
    processor = table("processor, all processes", ("", "ms a ticket"), [(one.kind, one.cpu_ms) for one in found])
    return Report("distributed", (table(title, columns, rows), processor), figures, tuple(shown))
