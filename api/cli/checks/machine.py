"""Checks of the machine: Python, data folder, disk, port; nothing is made or opened for writing."""

import os
import shutil
import socket
import stat
import sys
from difflib import get_close_matches
from pathlib import Path

from api.cli.checks.finding import Finding
from api.cli.client import running
from api.settings import Settings, strange_names
from api.settings_table import table

_OLDEST = (3, 11)
_LEAST_BYTES = 500 * 1024 * 1024
# Read by docker/compose.distributed.yaml and by the tests.
_NOT_OURS = frozenset({"SUPPORT_METRICS_TOKEN_FILE"})
_OF_TESTS = "SUPPORT_TEST_"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


async def python(_settings: Settings) -> tuple[Finding, ...]:
    """Whether this Python is new enough."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    fine = sys.version_info[:2] >= _OLDEST
    return (Finding("python", version, "" if fine else "install Python 3.11 or newer and run `make clean demo`"),)


async def names(_settings: Settings) -> tuple[Finding, ...]:
    """Whether each variable that begins like a setting is one: a misspelt `SUPPORT_DRY_RUN` would hold nothing back."""
    settings = [row.variable for row in table()]
    found = []
    for strange in strange_names():
        if strange in _NOT_OURS or strange.startswith(_OF_TESTS):
            continue
        meant = get_close_matches(strange, settings, n=1)
        fix = f"unset {strange}" + (f", or write {meant[0]}" if meant else "")
        found.append(Finding("settings", f"{strange} is no setting and does nothing", fix))
    return tuple(found)


async def data_folder(settings: Settings) -> tuple[Finding, ...]:
    """Whether the folder is there, ours alone and writable."""
    folder = settings.data_dir
    if not folder.is_dir():
        return (Finding("data folder", f"{folder} is not there yet", "support-agents db upgrade"),)
    if stat.S_IMODE(folder.stat().st_mode) & _OTHERS:
        return (Finding("data folder", f"{folder} can be read by other users", f"chmod 700 {folder}"),)
    if not os.access(folder, os.W_OK | os.X_OK):
        return (Finding("data folder", f"{folder} cannot be written to", f"sudo chown -R $USER {folder}"),)
    return (Finding("data folder", str(folder)),)


async def disk(settings: Settings) -> tuple[Finding, ...]:
    """Whether there is room."""
    free = shutil.disk_usage(_existing(settings.data_dir)).free
    room = f"{free / 1024**3:.1f} GiB free"
    return (Finding("disk", room, "" if free >= _LEAST_BYTES else "free at least 500 MiB, or move SUPPORT_DATA_DIR"),)


async def port(settings: Settings) -> tuple[Finding, ...]:
    """Whether the port is free, or taken by our own server."""
    client = running(settings)
    if client is not None:
        return (Finding("server", f"running at {client.server.url}"),)
    where = f"{settings.host}:{settings.port}"
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            return (Finding("port", f"{where}: {error.strerror}", "support-agents serve --port 0"),)
    return (Finding("port", f"{where} is free"),)


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
