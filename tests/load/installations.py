"""What is put under load: `serve` by itself, or one process of each kind on PostgreSQL and a broker of its own."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from api.demo import shop
from tests.benchmarks.installation import installed, pid_of, shop_environment, url_of
from tests.peers.processes import processes
from tests.peers.program import COLD
from tests.peers.servers import ground, own_postgres, own_rabbit, own_redis

BROKERS = {"redis": own_redis, "rabbitmq": own_rabbit}
KINDS = ("serve", *BROKERS)


@dataclass(frozen=True)
class Loaded:
    """Where it is, and the processes whose time and memory count: ours, and servers beside them."""

    url: str
    database: str
    pids: Mapping[str, int]
    servers: Mapping[str, int]


@contextmanager
def started(kind: str, messages: int, workers: int) -> Iterator[Loaded]:
    """Start one and wait until it is ready."""
    with _serve(messages) if kind == "serve" else _several(kind, messages, workers) as made:
        yield made


@contextmanager
def _serve(messages: int) -> Iterator[Loaded]:
    with installed(messages) as running:
        running.start()
        yield Loaded(url_of(running), f"sqlite:///{running.folder / 'support.db'}", {"serve": pid_of(running)}, {})


@contextmanager
def _several(broker: str, messages: int, workers: int) -> Iterator[Loaded]:
    with ExitStack() as stack:
        folder = stack.enter_context(ground())
        postgres = stack.enter_context(own_postgres(folder / "postgres"))
        hub = stack.enter_context(BROKERS[broker](folder / "broker"))
        environment = {
            **shop_environment(folder, messages),
            "SUPPORT_BROKER_PREFIX": "load",
            "SUPPORT_DATABASE_URL": postgres.url,
            "SUPPORT_BROKER_URL": hub.url,
        }
        running = stack.enter_context(processes(folder / "data", environment, COLD))
        running.command("db", "upgrade")
        running.command("kb", "sync", str(shop.ARTICLES))
        running.start()
        for _ in range(workers - 1):
            running.await_ready(running.begin("worker"))
        assert postgres.process is not None
        assert hub.process is not None
        pids = {f"{each.kind} {at}": each.process.pid for at, each in enumerate(running.running)}
        servers = {"postgres": postgres.process.pid, "broker": hub.process.pid}
        yield Loaded(url_of(running), postgres.url, pids, servers)
