"""`serve` as a process: where it can be found, who may not start a second one, and how it ends."""

import os
import signal
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from api import server_file
from api.server_file import RunningServer
from tests.fixtures.command_line import CommandLine
from tests.peers.program import Running

_SECONDS = 240.0


@contextmanager
def serving(run: CommandLine) -> Iterator[tuple[Running, RunningServer]]:
    reading, writing = os.pipe()
    environment = run.environment(port="0")
    with (
        (run.data.parent / "server.log").open("ab") as log,
        os.fdopen(reading) as told,
        Path(os.devnull).open("rb") as none,
    ):
        with os.fdopen(writing, "wb") as out:
            process = run.program.start(["serve"], env=environment, stdin=none, out=out, err=log)
        try:
            line = told.readline()
            assert line.startswith("serving on http://127.0.0.1:"), line
            server = server_file.read(run.data)
            assert server is not None
            yield process, server
        finally:
            process.kill()
            process.wait(_SECONDS)


def wait_until_ready(url: str) -> None:
    end = time.monotonic() + _SECONDS
    while httpx.get(f"{url}/readyz", trust_env=False).status_code != httpx.codes.OK:
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.slow
def test_other_commands_find_the_server_and_its_index_follows(
    run: CommandLine, run_cold: CommandLine, tmp_path: Path
) -> None:
    data, folder = run.data, tmp_path / "kb"
    folder.mkdir()
    (folder / "parking.md").write_text("# Parking\n\nGuests park behind the house for 5 euros a day.\n")
    with serving(run_cold) as (process, server):
        assert server.pid == process.pid
        assert stat.S_IMODE((data / server_file.FILE).stat().st_mode) == 0o600
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        wait_until_ready(server.url)
        synced = run("kb", "sync", str(folder))
        assert (synced.returncode, synced.stdout.split(",")[0]) == (0, "1 added")
        assert "behind the house" in run("kb", "search", "where do I park", "--limit", "1").stdout
        asked = run("ask", "Where do I park?", "--json")
        assert asked.returncode == 0, asked.stderr
        second = run("serve")
        assert (second.returncode, second.stderr.count("\n")) == (1, 1)
        assert f"process {process.pid}" in second.stderr
        doctor = run("doctor").stdout
        assert f"✓ server: running at {server.url}" in doctor
        process.send_signal(signal.SIGTERM)
        assert process.wait(_SECONDS) == 0
        assert not (data / server_file.FILE).exists()


@pytest.mark.slow
def test_a_killed_servers_file_stops_nobody(run: CommandLine) -> None:
    with serving(run) as (process, _):
        process.kill()
        assert process.wait(_SECONDS) == -signal.SIGKILL
    assert (run.data / server_file.FILE).exists()
    asked = run("ask", "Hello?", "--json")
    assert asked.returncode == 0, asked.stderr
    with serving(run) as (process, server):
        assert server.pid == process.pid
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(_SECONDS) == 0


def test_a_port_in_use_is_one_line(run: CommandLine) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("serve", "--port", str(port))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert f"127.0.0.1:{port} is in use" in done.stderr
    assert "--port" in done.stderr
