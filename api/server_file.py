"""Where a data folder's running server is found: one small file beside the database; it starts and stops nothing."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from support_agents.domain.errors import SupportError

FILE = "server.json"


@dataclass(frozen=True)
class RunningServer:
    """How the command line reaches the server; `token` is good for reading, on this machine only."""

    url: str
    pid: int
    token: str = field(repr=False)

    @property
    def alive(self) -> bool:
        """Whether its process exists; a file can outlive a process that was killed."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


def write(folder: Path, server: RunningServer) -> None:
    """Leave the file (mode 0600), replacing one that a killed server left behind."""
    fresh = folder / f".{FILE}.{os.getpid()}"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(server), file)
    fresh.replace(folder / FILE)


def read(folder: Path) -> RunningServer | None:
    """Return the server whose process lives, or None; a broken or stale file counts as none."""
    try:
        found = json.loads((folder / FILE).read_text(encoding="utf-8"))
        server = RunningServer(url=str(found["url"]), pid=int(found["pid"]), token=str(found["token"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    except OSError as error:
        message = f"cannot read {folder / FILE} ({error.strerror}); run this as the user who owns the data folder"
        raise SupportError("server_file", message) from error
    return server if server.alive else None


def remove(folder: Path) -> None:
    """Take the file away, unless it is another process's."""
    server = read(folder)
    if server is None or server.pid == os.getpid():
        (folder / FILE).unlink(missing_ok=True)
