"""The demo as a whole, in processes of its own; and once more where there is no network but loopback (I8)."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_SECONDS = 240
_LAST_LINE = re.compile(
    r"24 messages in · (\d+) drafts? · (\d+) questions? back · (\d+) to a person · 1 duplicate recognised · "
    r"slowest \d+\.\d\d s · nothing sent"
)
_EFFECTS = "approved 1 refund and 1 reply · refunded €64.90, once · 1 mail “Re: Money back for lantern HW-10423”"
# Brings loopback up inside a fresh network namespace, then becomes the command.
_WITH_LOOPBACK = """
import fcntl, os, socket, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh", b"lo", 0x1 | 0x40))
os.execv(sys.executable, [sys.executable, "-m", "api.cli.main", *sys.argv[1:]])
"""


_SHOW_FIRST_RUN = """
import sqlite3, sys, uuid
from api.cli.main import run
with sqlite3.connect(f"file:{sys.argv[1]}/support.db?mode=ro", uri=True) as connection:
    (stored,) = connection.execute("SELECT id FROM runs ORDER BY id LIMIT 1").fetchone()
raise SystemExit(run(["runs", "show", str(uuid.UUID(bytes=stored) if isinstance(stored, bytes) else stored)]))
"""


def run(arguments: list[str], home: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin", "TMPDIR": str(home), **settings},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )


def isolated(*arguments: str) -> list[str]:
    """Return the command in an empty network namespace, or skip where that is not permitted."""
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("there is no unshare here")
    tried = subprocess.run([unshare, "-rn", "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        pytest.skip(f"network namespaces are not permitted here: {tried.stderr.strip()}")
    return [unshare, "-rn", sys.executable, "-c", _WITH_LOOPBACK, *arguments]


def check(done: subprocess.CompletedProcess[str], home: Path) -> None:
    assert done.returncode == 0, done.stdout + done.stderr
    found = _LAST_LINE.search(done.stdout)
    assert found is not None, done.stdout
    assert sum(int(count) for count in found.groups()) == 23
    assert _EFFECTS in done.stdout
    assert [path for path in home.iterdir() if "support-agents" in path.name] == []


@pytest.mark.slow
def test_demo_once_answers_approves_checks_and_cleans_up(tmp_path: Path) -> None:
    done = run([sys.executable, "-m", "api.cli.main", "demo", "--once", "--timings"], tmp_path)
    check(done, tmp_path)
    assert re.search(r"\d+ ms  first answer", done.stdout)


@pytest.mark.slow
def test_i8_local_mode_opens_no_socket_outside(tmp_path: Path) -> None:
    """In a namespace without any way out everything works, so nothing was missed; the kept folder is a real one."""
    folder = tmp_path / "kept"
    check(run(isolated("demo", "--once", "--data", str(folder)), tmp_path), tmp_path)
    assert not (folder / "server.json").exists()
    shown = run([sys.executable, "-c", _SHOW_FIRST_RUN, str(folder)], tmp_path, SUPPORT_DATA_DIR=str(folder))
    assert shown.returncode == 0, shown.stdout + shown.stderr
    for part in ("refund €64.90 for HW-10423", "screening", "compliance", "model calls", "intent_model: "):
        assert part in shown.stdout


@pytest.mark.slow
def test_i8_asking_opens_no_socket_outside(tmp_path: Path) -> None:
    done = run(isolated("ask", "--demo", "How long does a refund take?", "--json"), tmp_path)
    assert done.returncode == 0, done.stderr
    assert '"outcome"' in done.stdout
