"""An installation on servers of its own, all behind proxies: what a round of chaos works on and breaks."""

import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from api.demo import shop
from tests.benchmarks.installation import shop_environment
from tests.peers.beside import beside
from tests.peers.cuttable import Cuttable, proxied
from tests.peers.processes import Process, Processes, processes
from tests.peers.product import OPERATOR, PASSWORD
from tests.peers.qdrant_server import QdrantPeer
from tests.peers.servers import (
    OwnPostgres,
    OwnServer,
    free_port,
    ground,
    own_postgres,
    own_rabbit,
    own_redis,
    small_disk,
)
from tests.peers.serving import serving
from tests.peers.smtp_sink import SmtpSink, listening

BROKERS = {"redis": own_redis, "rabbitmq": own_rabbit}
KINDS = ("api", "worker", "relay", "scheduler")
_DISK_MB = 2_048
_LOOK_SECONDS = 0.1


@dataclass
class Estate:
    """Servers, proxies in front of them, the processes, and a supervisor that starts again whatever has ended."""

    folder: Path
    postgres: OwnPostgres
    broker: OwnServer
    proxies: Mapping[str, Cuttable]
    mail: SmtpSink
    own_disk: bool
    running: Processes
    ports: tuple[int, ...] = ()
    ended_by_themselves: Counter[str] = field(default_factory=Counter)
    _posts: list["_Post"] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    # A process is asked, killed and replaced by two threads.
    _one_at_a_time: threading.RLock = field(default_factory=threading.RLock)

    @property
    def disk(self) -> Path:
        """Where database and data folder are."""
        return self.folder / "disk"

    @property
    def urls(self) -> tuple[str, ...]:
        """Where the APIs listen."""
        return tuple(f"http://127.0.0.1:{port}" for port in self.ports)

    def start(self, counts: Mapping[str, int]) -> None:
        """Start so many processes of each kind, and watch over them."""
        for kind in KINDS:
            for _ in range(counts[kind]):
                more = {"SUPPORT_PORT": str(free_port())} if kind == "api" else {}
                self.ports += tuple(int(port) for port in more.values())
                self._posts.append(_Post(kind, self.running.begin(kind, more=more), more))
        for post in self._posts:
            self.running.await_ready(post.process)
        self._watching = threading.Thread(target=self._watch, name="supervisor")
        self._watching.start()

    _watching: threading.Thread = field(default_factory=threading.Thread)

    def posts(self, kind: str) -> list["_Post"]:
        """The places of one kind that have a living process."""
        with self._one_at_a_time:
            return [post for post in self._posts if post.kind == kind and post.process.process.poll() is None]

    def away(self, post: "_Post", seconds: float) -> None:
        """Kill a place's process; it is started again after so long."""
        with self._one_at_a_time:
            post.back_at = time.monotonic() + seconds
            post.killed = True
            post.process.kill()

    def stand_still(self, post: "_Post", seconds: float) -> None:
        """Stop a place's process for so long, as a machine that is too busy does."""
        with self._one_at_a_time:
            process = post.process.process
            process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        with self._one_at_a_time:
            process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Let the supervisor go first."""
        self._over.set()
        if self._watching.ident:
            self._watching.join()

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            for post in self._posts:
                with self._one_at_a_time:
                    self._see_to(post)

    def _see_to(self, post: "_Post") -> None:
        if post.process.process.poll() is None:
            return
        if not post.killed:
            self.ended_by_themselves[post.kind] += 1
            post.killed, post.back_at = True, time.monotonic() + 1.0
        if time.monotonic() >= post.back_at:
            post.process, post.killed = self.running.begin(post.kind, more=post.more), False


@dataclass
class _Post:
    """A place that shall always have a process."""

    kind: str
    process: Process
    more: Mapping[str, str]
    killed: bool = False
    back_at: float = 0.0


@contextmanager
def estate(broker: str, messages: int) -> Iterator[Estate]:
    """Make everything for so many messages; the processes are not started."""
    with ExitStack() as stack:
        folder = stack.enter_context(ground())
        own_disk = stack.enter_context(small_disk(folder / "disk", _DISK_MB))
        postgres = stack.enter_context(own_postgres(folder / "disk" / "postgres"))
        hub = stack.enter_context(BROKERS[broker](folder / "broker"))
        mail, passages = SmtpSink(), QdrantPeer()
        stack.enter_context(beside(listening(mail)))
        stack.enter_context(beside(serving(passages)))
        ports = {
            "postgres": postgres.port, "broker": hub.port, "mail": mail.port,
            "qdrant": urlsplit(passages.base_url).port or 0,
        }  # fmt: skip
        proxies = {name: Cuttable("127.0.0.1", port) for name, port in ports.items()}
        for proxy in proxies.values():
            stack.enter_context(beside(proxied(proxy)))
        environment = {
            **_environment(folder, messages),
            "SUPPORT_DATABASE_URL": proxies["postgres"].through(postgres.url),
            "SUPPORT_BROKER_URL": proxies["broker"].through(hub.url),
            "SUPPORT_QDRANT_URL": proxies["qdrant"].through(passages.base_url),
            "SUPPORT_SMTP_PORT": str(proxies["mail"].listening),
        }
        running = stack.enter_context(processes(folder / "disk" / "data", environment))
        made = Estate(folder, postgres, hub, proxies, mail, own_disk, running)
        stack.callback(made.stop)
        _furnish(running)
        yield made


def _furnish(running: Processes) -> None:
    running.command("db", "upgrade")
    running.command("kb", "sync", str(shop.ARTICLES))
    running.command("operators", "add", OPERATOR, "--role", "admin", "--password-stdin", stdin=PASSWORD)


def _environment(folder: Path, messages: int) -> dict[str, str]:
    return {
        **shop_environment(folder, messages),
        "SUPPORT_BROKER_PREFIX": "chaos",
        "SUPPORT_SMTP_STARTTLS": "false",
        "SUPPORT_UNDO_REPLY_SECONDS": "1",
        "SUPPORT_UNDO_REFUND_SECONDS": "1",
        # Calls end soon, so that what is in doubt is asked about within a round.
        "SUPPORT_CALL_SECONDS": "3",
        "SUPPORT_MAIL_SECONDS": "5",
        "SUPPORT_CALL_MARGIN_SECONDS": "1",
    }
