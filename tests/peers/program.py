"""`support-agents` as processes: cold from an interpreter, or forked from one that has its imports done."""

import atexit
import io
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO, Any, Protocol

ROOT = Path(__file__).parents[2]
_START_SECONDS = 600.0


class Running(Protocol):
    """A process as `subprocess` gives it."""

    pid: int

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


class Program(Protocol):
    """A way to start the program."""

    def start(
        self, words: Sequence[str], *, env: Mapping[str, str], stdin: IO[Any], out: IO[Any], err: IO[Any]
    ) -> Running:
        """Start a command with no other environment than `env`."""
        ...


class Cold:
    """A new interpreter, as a person's shell starts it."""

    def start(
        self, words: Sequence[str], *, env: Mapping[str, str], stdin: IO[Any], out: IO[Any], err: IO[Any]
    ) -> Running:
        """Start a command."""
        command = [sys.executable, "-m", "api.cli.main", *words]
        return subprocess.Popen(command, env=dict(env), stdin=stdin, stdout=out, stderr=err)


@dataclass
class Warm:
    """Forks of `tests.peers.warm`, which starts at the first call and ends with this process."""

    _control: socket.socket
    _server: subprocess.Popen[bytes]

    @classmethod
    def begin(cls) -> "Warm":
        """Start the process that is forked."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # A pool of OpenBLAS would be a thread before the fork.
        env = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        words = [sys.executable, "-m", "tests.peers.warm", str(theirs.fileno())]
        with theirs:
            server = subprocess.Popen(words, env=env, cwd=ROOT, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        return cls(ours, server)

    def start(
        self, words: Sequence[str], *, env: Mapping[str, str], stdin: IO[Any], out: IO[Any], err: IO[Any]
    ) -> Running:
        """Fork a command."""
        ours, theirs = socket.socketpair()
        call = {"words": list(words), "environment": dict(env), "folder": str(Path.cwd())}
        with theirs:
            descriptors = [theirs.fileno(), stdin.fileno(), out.fileno(), err.fileno()]
            socket.send_fds(self._control, [json.dumps(call).encode()], descriptors)
        ours.settimeout(_START_SECONDS)
        return _Forked(int(_line(ours)), ours)

    def end(self) -> None:
        """Let it end once all that it forked has ended."""
        self._control.close()
        self._server.wait(_START_SECONDS)


@dataclass
class _Forked:
    """A forked command; its end is told by the process that minds it."""

    pid: int
    _told: socket.socket
    _code: int | None = field(default=None, init=False)

    def poll(self) -> int | None:
        if self._code is None and select.select([self._told], [], [], 0)[0]:
            self._ended()
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        if self._code is None:
            if not select.select([self._told], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("support-agents", timeout or 0)
            self._ended()
        assert self._code is not None
        return self._code

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _ended(self) -> None:
        self._code = int(_line(self._told))
        self._told.close()


def _line(told: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        piece = told.recv(1)
        assert piece, "the warm program has ended"
        line += piece
    return line


COLD = Cold()


@cache
def warm() -> Warm:
    """Return the one warm program of this process, which ends before it does."""
    begun = Warm.begin()
    atexit.register(begun.end)
    return begun


def run(
    program: Program, words: Sequence[str], *, env: Mapping[str, str], given: str = "", seconds: float = 600.0
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end with `given` as its standard input."""
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        stdin.write(given.encode())
        stdin.seek(0)
        process = program.start(words, env=env, stdin=stdin, out=out, err=err)
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(seconds)
            raise
        return subprocess.CompletedProcess([*words], code, _read(out), _read(err))


def _read(stream: IO[bytes]) -> str:
    stream.seek(0)
    return io.TextIOWrapper(io.BytesIO(stream.read()), encoding="utf-8").read()
