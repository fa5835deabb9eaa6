"""`kb sync` and `doctor` beside a server that follows only when it is let: what they say is so when they say it."""

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import IO, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from api import server_file
from api.server_file import RunningServer
from support_agents.domain.ids import DEFAULT_WORKSPACE
from tests.fixtures.command_line import CommandLine
from tests.fixtures.installation import SHOP, Installation
from tests.peers.program import Running
from tests.peers.serving import serving

SECONDS = 240.0


@dataclass
class Served:
    """An installation at a port, whose worker the test starts, and how often it was asked how far its index is."""

    installation: Installation
    base_url: str = ""
    asked: int = 0
    leaving: bool = False

    def app(self) -> Starlette:
        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            self.asked += scope["path"] == "/v1/knowledge/index"
            answering: ASGIApp = PlainTextResponse("", 503) if self.leaving else self.installation.app
            await answering(scope, receive, send)

        return Starlette(routes=[Mount("/", app=counted)])

    async def in_step(self) -> bool:
        return (await self.installation.container.follower.standing(DEFAULT_WORKSPACE)).in_step


@dataclass
class Command:
    """A command under way."""

    process: Running
    out: IO[bytes] = field(repr=False)

    async def ended(self) -> int:
        return await asyncio.to_thread(self.process.wait, SECONDS)

    @property
    def said(self) -> str:
        self.out.seek(0)
        return self.out.read().decode()


@asynccontextmanager
async def begun(run: CommandLine, *words: str, **settings: Any) -> AsyncIterator[Command]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as none:
        environment = run.environment(**settings)
        process = run.program.start(words, env=environment, stdin=none, out=out, err=none)
        try:
            yield Command(process, out)
        finally:
            process.kill()


@asynccontextmanager
async def syncing(run: CommandLine, served: Served) -> AsyncIterator[Command]:
    """`kb sync`, once all is stored and it has asked three times how far the index is, which stands still."""
    url = served.installation.container.settings.database
    async with begun(run, "kb", "sync", str(SHOP / "articles"), database_url=url) as command, asyncio.timeout(SECONDS):
        while served.asked < 3:
            assert command.process.poll() is None, f"it did not wait: {command.said}"
            await asyncio.sleep(0.02)
        assert not await served.in_step()
        yield command


@pytest.fixture
async def served(local_installation: Installation, run: CommandLine) -> AsyncIterator[Served]:
    container = local_installation.container
    assert container.settings.data_dir == run.data
    async with serving(Served(local_installation)) as served:
        server_file.write(run.data, RunningServer(served.base_url, os.getpid(), container.key.local_token))
        yield served
        server_file.remove(run.data)


async def test_it_ends_when_the_server_is_in_step_and_not_before(run: CommandLine, served: Served) -> None:
    async with syncing(run, served) as command, served.installation.working():
        assert await command.ended() == 0
        assert await served.in_step()
        assert command.said.endswith("passages stored; the index is in step\n")


async def test_who_stops_waiting_has_stored_everything(run: CommandLine, served: Served) -> None:
    async with syncing(run, served) as command:
        command.process.send_signal(signal.SIGINT)
        assert await command.ended() == 130
        assert command.said.endswith("; the server brings its index in step by itself\n")
        stored = await served.installation.container.passages.state(DEFAULT_WORKSPACE)
        assert f" {stored.passages} passages stored;" in command.said


async def test_a_server_that_leaves_meanwhile_is_not_waited_for(run: CommandLine, served: Served) -> None:
    async with syncing(run, served) as command:
        server_file.remove(run.data)
        served.leaving = True
        assert await command.ended() == 0
        assert command.said.endswith("; the server no longer answers, and its next start brings the index in step\n")


async def test_doctor_counts_what_is_missing_now(run: CommandLine, served: Served) -> None:
    container = served.installation.container
    settings = {"database_url": container.settings.database}

    async def index() -> str:
        async with begun(run, "doctor", **settings) as command:
            await command.ended()
            return next(line for line in command.said.splitlines() if " index: " in line)

    await container.knowledge.sync(SHOP / "articles", DEFAULT_WORKSPACE)
    stored = (await container.passages.state(DEFAULT_WORKSPACE)).passages
    assert await index() == f"✗ index: {stored} passages missing, 0 too many"
    async with served.installation.working(), asyncio.timeout(SECONDS):
        while not await served.in_step():  # noqa: ASYNC110 - nothing tells a test of a pass
            await asyncio.sleep(0.02)
        assert await index() == f"✓ index: {stored} passages, in step"
    await container.passages.delete_articles(DEFAULT_WORKSPACE, ["return-an-item"])
    fewer = (await container.passages.state(DEFAULT_WORKSPACE)).passages
    assert await index() == f"✗ index: 0 passages missing, {stored - fewer} too many"
