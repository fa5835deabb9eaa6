"""The demo's server as its parent sees it: started early, told its settings late, stopped in order."""

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from support_agents.domain.errors import SupportError

MODULE = "api.demo.server"
_STOP_SECONDS = 45.0  # more than the server's own periods of grace together, or it is killed while it ends in order


class ServerProcess:
    """A child process that serves; its standard error goes to a file in the demo's folder."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log

    @classmethod
    async def start(cls, log: Path) -> "ServerProcess":
        """Start it; it loads its code and then waits for settings."""
        with log.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                MODULE,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                # A terminal's Ctrl-C is for the parent, which then stops the server in order.
                start_new_session=True,
            )
        return cls(process, log)

    async def serve(self, settings: Mapping[str, object]) -> str:
        """Tell it its settings; return its URL once it listens."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None  # noqa: S101 - made with pipes
        assert stdout is not None  # noqa: S101 - as above
        stdin.write(json.dumps(settings).encode() + b"\n")
        await stdin.drain()
        line = await stdout.readline()
        if not line:
            raise self.failure()
        return str(json.loads(line)["url"])

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.returncode is None

    async def ended(self) -> None:
        """Wait until it has ended."""
        await self._process.wait()

    def failure(self) -> SupportError:
        """Say what the server said last."""
        told = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return SupportError("demo_server", f"the demo's server ended: {told[-1] if told else 'it said nothing'}")

    async def stop(self) -> None:
        """Close its input, which makes it stop in order; kill it if it has not within the grace period."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
