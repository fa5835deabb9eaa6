"""PostgreSQL, Redis and RabbitMQ of a test's own on free ports, to be killed and started again."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

_START_SECONDS = 90.0
_RABBIT = ("rabbitmq-server", "/usr/lib/rabbitmq/bin/rabbitmq-server")
_POSTGRES = ("initdb", *(str(each) for each in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)))


class MissingServerError(Exception):
    """The program is not installed here."""


@dataclass
class OwnServer:
    """One server process in a folder of its own; `url` is how it is reached."""

    folder: Path
    port: int
    url: str
    words: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    account: str | None = None
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.words,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self.account,
                group=self.account,
                cwd=self.folder,
                start_new_session=True,
            )
        until = time.monotonic() + _START_SECONDS
        while not self.answers():
            assert self.process.poll() is None, self.log[-2_000:]
            if time.monotonic() > until:
                raise TimeoutError(self.log[-2_000:])
            time.sleep(0.05)

    def answers(self) -> bool:
        """Whether it can be worked with."""
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        return False

    def kill(self) -> None:
        """End it as a power cut would, with all processes it has."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order; after a while as above."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)

    @property
    def log(self) -> str:
        """What it wrote."""
        return (self.folder / "server.log").read_text(errors="replace")


class OwnPostgres(OwnServer):
    """A cluster; SIGKILL of all its processes leaves it to be recovered from its write-ahead log."""

    def answers(self) -> bool:
        """Whether it lets anyone in: while it recovers it listens, and does not."""
        with suppress(psycopg.OperationalError):
            psycopg.connect(self.conninfo, connect_timeout=2).close()
            return True
        return False

    @property
    def conninfo(self) -> str:
        """What psycopg connects with."""
        return self.url.replace("+psycopg", "")

    def stop(self) -> None:
        """Fast shutdown: whoever is connected is sent away."""
        self._end(signal.SIGINT)

    def follow(self, names: str) -> None:
        """Let commits wait for a follower of one of these names, and return when one keeps up."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'".encode())
            connection.execute("SELECT pg_reload_conf()")
            until = time.monotonic() + _START_SECONDS
            while connection.execute("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'").fetchone() is None:
                if time.monotonic() > until:
                    raise TimeoutError("no follower keeps up")
                time.sleep(0.05)

    def promote(self) -> None:
        """Have a follower become the one that is written to."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            assert connection.execute("SELECT pg_promote()").fetchone() == (True,)

    def send_away(self) -> int:
        """End every connection but this one; how many."""
        query = (
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datid > 0"
        )
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            found = connection.execute(query).fetchone()
        return int(found[0]) if found else 0


class OwnRabbit(OwnServer):
    """A node with a port mapper of its own, which is no child of its."""

    def start(self) -> None:
        """Start the port mapper too: it forgets a node that was killed."""
        if self.environment["ERL_EPMD_PORT"] and not _listens(int(self.environment["ERL_EPMD_PORT"])):
            environment = {**os.environ, **self.environment}
            words = ["epmd", "-port", self.environment["ERL_EPMD_PORT"]]
            self._mapper = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
            _await_port(int(self.environment["ERL_EPMD_PORT"]))
        super().start()

    def end_mapper(self) -> None:
        """End the port mapper."""
        self._mapper.kill()
        self._mapper.wait(10)

    _mapper: subprocess.Popen[bytes]


@contextmanager
def own_postgres(folder: Path) -> Iterator[OwnPostgres]:
    """Make a cluster in `folder`, whose superuser needs no password, and run it."""
    account = _account()
    folder.mkdir(mode=0o700)
    if account:
        shutil.chown(folder, account, account)
    made = _program(_POSTGRES)
    subprocess.run(
        [made, "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"],
        cwd=folder, user=account, group=account, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    with _running(folder, made, account) as server:
        yield server


@contextmanager
def own_standby(folder: Path, primary: OwnPostgres) -> Iterator[OwnPostgres]:
    """Make a copy of a running cluster in `folder` that follows it, and run it; its name there is `standby`."""
    account = _account()
    folder.mkdir(mode=0o700)
    if account:
        shutil.chown(folder, account, account)
    made = _program(_POSTGRES)
    copy = str(Path(os.path.realpath(made)).with_name("pg_basebackup"))
    of = f"host=127.0.0.1 port={primary.port} user=postgres application_name=standby"
    words = [copy, "--dbname", of, "-D", "data", "--write-recovery-conf", "--checkpoint=fast", "--no-sync"]
    subprocess.run(words, cwd=folder, user=account, group=account, check=True, stdout=subprocess.DEVNULL)
    with _running(folder, made, account) as server:
        yield server


@contextmanager
def _running(folder: Path, made: str, account: str | None) -> Iterator[OwnPostgres]:
    port = free_port()
    settings = {
        "listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "max_connections": 200,
        "max_wal_size": "128MB", "min_wal_size": "32MB", "shared_buffers": "128MB",
    }  # fmt: skip
    words = [str(Path(os.path.realpath(made)).with_name("postgres")), "-D", "data"]
    words += [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    server = OwnPostgres(folder, port, f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres", words, {}, account)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def own_redis(folder: Path) -> Iterator[OwnServer]:
    """Run a Redis that keeps nothing on disk: what it holds is gone with it."""
    folder.mkdir(mode=0o700)
    port = free_port()
    words = [
        _program(("redis-server",)),
        "--bind",
        "127.0.0.1",
        "--port",
        str(port),
        "--save",
        "",
        "--appendonly",
        "no",
    ]
    server = OwnServer(folder, port, f"redis://127.0.0.1:{port}/0", words)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def own_rabbit(folder: Path) -> Iterator[OwnServer]:
    """Run a RabbitMQ node whose folders, name and port mapper are its own."""
    folder.mkdir(mode=0o700)
    ports = {name: str(free_port()) for name in ("RABBITMQ_NODE_PORT", "RABBITMQ_DIST_PORT", "ERL_EPMD_PORT")}
    environment = {
        **ports,
        "RABBITMQ_NODENAME": f"own{ports['RABBITMQ_NODE_PORT']}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
        "RABBITMQ_CONFIG_FILE": str(folder / "none"),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "HOME": str(folder),
    }
    port = int(ports["RABBITMQ_NODE_PORT"])
    program = _program(_RABBIT[::-1])
    server = OwnRabbit(folder, port, f"amqp://guest:guest@127.0.0.1:{port}//", [program], environment)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        server.end_mapper()


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[bool]:
    """Make `folder` a file system of its own of that size; False where this machine does not let us."""
    folder.mkdir(mode=0o755, exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "tests", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(words, check=False, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            words = ["umount", "--lazy", str(folder)]
            subprocess.run(words, check=True)


@contextmanager
def ground() -> Iterator[Path]:
    """Give out an empty folder that other accounts may pass through, removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="ground-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _account() -> str | None:
    """PostgreSQL refuses to run as root: then it runs as the account that its package made."""
    if os.geteuid() != 0:
        return None
    with suppress(KeyError):
        return pwd.getpwnam("postgres").pw_name
    raise MissingServerError("an account named postgres")


def _program(names: Sequence[str]) -> str:
    for name in names:
        if found := shutil.which(name):
            return found
    raise MissingServerError(names[0])


def _listens(port: int) -> bool:
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    return False


def _await_port(port: int) -> None:
    until = time.monotonic() + _START_SECONDS
    while not _listens(port):
        if time.monotonic() > until:
            raise TimeoutError(f"nothing listens on {port}")
        time.sleep(0.05)
