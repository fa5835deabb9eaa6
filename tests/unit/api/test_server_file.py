"""The file that tells where the server is: private, and harmless when it is stale."""

import os
import subprocess
import sys
from pathlib import Path

from api import server_file
from api.server_file import RunningServer


def server(pid: int) -> RunningServer:
    return RunningServer(url="http://127.0.0.1:8000", pid=pid, token="local_secret")


def ended_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_it_is_read_back_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    server_file.write(tmp_path, server(os.getpid()))
    assert server_file.read(tmp_path) == server(os.getpid())
    assert (tmp_path / server_file.FILE).stat().st_mode & 0o777 == 0o600
    assert "local_secret" not in repr(server(1))


def test_a_killed_servers_file_counts_as_none_and_is_replaced(tmp_path: Path) -> None:
    server_file.write(tmp_path, server(ended_pid()))
    assert server_file.read(tmp_path) is None
    server_file.write(tmp_path, server(os.getpid()))
    assert server_file.read(tmp_path) is not None


def test_a_broken_file_counts_as_none(tmp_path: Path) -> None:
    for content in ("", "{", "[]", '{"url": 1}', '{"url": "x", "pid": "y", "token": "z"}'):
        (tmp_path / server_file.FILE).write_text(content)
        assert server_file.read(tmp_path) is None


def test_another_processs_file_stays(tmp_path: Path) -> None:
    server_file.write(tmp_path, server(os.getppid()))
    server_file.remove(tmp_path)
    assert (tmp_path / server_file.FILE).exists()
    server_file.write(tmp_path, server(os.getpid()))
    server_file.remove(tmp_path)
    assert not (tmp_path / server_file.FILE).exists()
    server_file.remove(tmp_path)
