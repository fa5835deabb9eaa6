"""The product as several processes on PostgreSQL and a broker: each kind started, killed and ended by itself."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.peers.product import CALL_SECONDS, Product, _answers
from tests.peers.program import Program, Running, warm

SECRET_KEY = "a secret key for tests only, the same for every process of one installation"
START_SECONDS = 240.0  # several start at once, and on a busy machine each takes its time
_SERVING = re.compile(r"serving on (http://\S+)")
_READY = {"worker": "worker_ready", "relay": "ready", "scheduler": "ready"}


@dataclass
class Process:
    """One process with its own log."""

    kind: str
    process: Running
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait(60)

    def stop(self, seconds: float = 120) -> int:
        """End it in order; its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(seconds)


@dataclass
class Processes(Product):
    """One installation; the API is the process that is talked to."""

    running: list[Process] = field(default_factory=list)

    def start(self, *, fault: str = "") -> None:
        """Start one process of each kind and wait until all are ready."""
        self.begin("api", fault=fault, more={"SUPPORT_PORT": "0"})
        for kind in ("scheduler", "relay", "worker"):
            self.begin(kind)
        for each in self.running:
            self.await_ready(each)
        self.connect()

    def connect(self) -> None:
        """Talk to the newest API, which is ready."""
        self._forget()
        self.process = self.one("api").process
        self._http = httpx.Client(base_url=self._url(), timeout=CALL_SECONDS, trust_env=False, cookies=self._cookies)

    def begin(self, kind: str, *words: str, fault: str = "", more: Mapping[str, str] | None = None) -> Process:
        """Start a process without waiting for it; `fault` names where it shall kill itself."""
        log = self.folder.parent / f"{kind}-{len(self.running)}.log"
        extra = {"SUPPORT_TESTING": "true", "SUPPORT_FAULT_POINT": fault} if fault else {}
        env = self._env({**extra, **(more or {})})
        with log.open("wb") as file, Path(os.devnull).open("rb") as nothing:
            process = self.program.start([kind, *words], env=env, stdin=nothing, out=file, err=file)
        self.running.append(Process(kind, process, log))
        return self.running[-1]

    def await_ready(self, process: Process) -> None:
        """Wait until it has said that it is ready, or answers."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            assert process.process.poll() is None, process.said[-4_000:]
            if _answers(self._url()) if process.kind == "api" else _READY[process.kind] in process.said:
                return
            time.sleep(0.05)
        raise TimeoutError(process.said[-4_000:])

    def one(self, kind: str) -> Process:
        """The newest process of a kind."""
        return [each for each in self.running if each.kind == kind][-1]

    def stop(self) -> None:
        """End all, the worker first."""
        self._forget()
        for each in sorted(self.running, key=lambda each: each.kind, reverse=True):
            if each.process.poll() is None:
                each.process.send_signal(signal.SIGTERM)
        for each in self.running:
            try:
                each.process.wait(60)
            except subprocess.TimeoutExpired:
                each.kill()

    def log(self) -> str:
        """What all wrote."""
        return "\n".join(f"--- {each.kind}\n{each.said}" for each in self.running)

    def _url(self) -> str:
        found = _SERVING.search(self.one("api").said)
        return found[1] if found else ""


@contextmanager
def processes(
    folder: Path, environment: Mapping[str, str], program: Program | None = None, *, secret_key: str = SECRET_KEY
) -> Iterator[Processes]:
    """An installation that is stopped at the end whatever happens."""
    folder.mkdir(mode=0o700, exist_ok=True)
    given = {"SUPPORT_SECRET_KEY": secret_key} if secret_key else {}
    made = Processes(folder, {**given, **environment}, program or warm())
    try:
        yield made
    finally:
        made.stop()
