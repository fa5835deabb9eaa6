"""`serve` as a process: where it can be found, who may not start a second one, and how it ends."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from api import server_file
from api.server_file import RunningServer

_SECONDS = 60.0


def environment(data: Path) -> dict[str, str]:
    return {"SUPPORT_DATA_DIR": str(data), "HOME": str(data.parent), "PATH": "/usr/bin:/bin", "SUPPORT_PORT": "0"}


def command(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "api.cli.main", *arguments],
        env=environment(data),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )


@contextmanager
def serving(data: Path) -> Iterator[tuple[subprocess.Popen[str], RunningServer]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "api.cli.main", "serve"],
        env=environment(data),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("serving on http://127.0.0.1:"), line
        server = server_file.read(data)
        assert server is not None
        yield process, server
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=_SECONDS)


def wait_until_ready(url: str) -> None:
    end = time.monotonic() + _SECONDS
    while httpx.get(f"{url}/readyz", trust_env=False).status_code != httpx.codes.OK:
        assert time.monotonic() < end
        time.sleep(0.1)


def wait_until_found(data: Path, query: str, words: str) -> None:
    end = time.monotonic() + _SECONDS
    while words not in (found := command(data, "kb", "search", query, "--limit", "1")).stdout:
        assert time.monotonic() < end, found.stderr
        time.sleep(0.2)


@pytest.mark.slow
def test_other_commands_find_the_server_and_its_index_follows(tmp_path: Path) -> None:
    data, folder = tmp_path / "data", tmp_path / "kb"
    folder.mkdir()
    (folder / "parking.md").write_text("# Parking\n\nGuests park behind the house for 5 euros a day.\n")
    with serving(data) as (process, server):
        assert server.pid == process.pid
        assert stat.S_IMODE((data / server_file.FILE).stat().st_mode) == 0o600
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        wait_until_ready(server.url)
        synced = command(data, "kb", "sync", str(folder))
        assert (synced.returncode, synced.stdout.split(",")[0]) == (0, "1 added")
        wait_until_found(data, "where do I park", "behind the house")
        asked = command(data, "ask", "Where do I park?", "--json")
        assert asked.returncode == 0, asked.stderr
        second = command(data, "serve")
        assert (second.returncode, second.stderr.count("\n")) == (1, 1)
        assert f"process {process.pid}" in second.stderr
        doctor = command(data, "doctor").stdout
        assert f"✓ server: running at {server.url}" in doctor
        process.send_signal(signal.SIGTERM)
        process.wait(_SECONDS)
        assert process.returncode == 0
        assert not (data / server_file.FILE).exists()


@pytest.mark.slow
def test_a_killed_servers_file_stops_nobody(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as (process, _):
        process.kill()
        process.wait(_SECONDS)
    assert (tmp_path / "data" / server_file.FILE).exists()
    asked = command(tmp_path / "data", "ask", "Hello?", "--json")
    assert asked.returncode == 0, asked.stderr
    with serving(tmp_path / "data") as (process, server):
        assert server.pid == process.pid
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(_SECONDS) == 0


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = command(tmp_path / "data", "serve", "--port", str(port))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert f"127.0.0.1:{port} is in use" in done.stderr
    assert "--port" in done.stderr
