"""Hands files from outside to a process without network or secrets, and ends it when it takes too long."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, cast

from support_agents.domain.errors import Failed, Ok
from support_agents.knowledge.parsing.limits import INPUT_BYTES, WALL_SECONDS
from support_agents.knowledge.parsing.wire import RawArticle, heard, receive, send

_ROOT = Path(__file__).resolve().parents[3]
# Loading the parsers takes a second or two, more on a machine that is busy.
_START_SECONDS = 60
_CHILD = "from support_agents.knowledge.parsing.child import main; main()"
_START = f"import sys; sys.path.insert(0, {str(_ROOT)!r}); {_CHILD}"


class _NotStartedError(Exception):
    """The process ended, or stayed silent, before it was given a file."""


@dataclass
class FileParser:
    """Parses files one at a time in a process of its own, started when first needed; blocks the calling thread."""

    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def parse(self, kind: str, name: str, content: bytes) -> Ok[Sequence[RawArticle]] | Failed:
        """Return a file's articles, or why there are none; the next file gets a new process if this one broke it."""
        if len(content) > INPUT_BYTES:
            return Failed("too_large", f"larger than {INPUT_BYTES:,} bytes")
        try:
            answer = self._asked(kind, name, content)
        except _NotStartedError:
            self.close()
            return Failed("not_started", "the process that reads such files did not start; try again", retryable=True)
        except (OSError, ValueError):
            answer = None
        if answer is None:
            self.close()
            return Failed("too_costly", "takes more time or memory to read than a file may")
        if answer.get("code"):
            return Failed(str(answer["code"]), str(answer.get("message")))
        try:
            return Ok(heard(answer).articles)
        except (ValueError, AttributeError):
            self.close()
            return Failed("invalid", "could not be read")

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _asked(self, kind: str, name: str, content: bytes) -> dict[str, object] | None:
        process = self._running()
        # What it writes before it has read all would fill both pipes; it reads a file whole before it answers.
        send(cast("BinaryIO", process.stdin), {"kind": kind, "name": name}, content)
        return _answered(process, WALL_SECONDS)

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-I", "-c", _START],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"LANG": "C.UTF-8"},
                cwd="/",
                close_fds=True,
            )
            if _answered(self._process, _START_SECONDS) is None:
                raise _NotStartedError
        return self._process


def _answered(process: "subprocess.Popen[bytes]", seconds: float) -> dict[str, object] | None:
    """Wait for a whole answer; None when it does not come in time or the process has ended."""
    stream = cast("BinaryIO", process.stdout)
    message = receive(cast("BinaryIO", _Timed(stream.fileno(), time.monotonic() + seconds)))
    return message[0] if message else None


@dataclass(frozen=True)
class _Timed:
    """Reads from a descriptor until a moment, then as if the stream had ended."""

    descriptor: int
    until: float

    def read(self, size: int) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            ready, _, _ = select.select([self.descriptor], [], [], max(0.0, self.until - time.monotonic()))
            piece = os.read(self.descriptor, min(size - len(parts), 1 << 20)) if ready else b""
            if not piece:
                break
            parts += piece
        return bytes(parts)
