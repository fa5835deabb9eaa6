"""The installation's own secret: one file, and a key for each purpose derived from it; it is never logged or sent."""

import hmac
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from api import logging
from api.settings import Settings
from support_agents.domain.errors import SupportError

FILE = "secret_key"
_SHORTEST = 32
_OTHERS = 0o077


@dataclass(frozen=True)
class SecretKey:
    """Derives keys; the same purpose always gives the same key."""

    root: bytes = field(repr=False)

    def derived(self, purpose: str) -> bytes:
        """Return the 32-byte key for one purpose."""
        return hmac.digest(self.root, purpose.encode(), "sha256")

    def keyed(self, purpose: str, content: bytes) -> str:
        """Return a hex digest that nobody without the key can make or recognise."""
        return hmac.digest(self.derived(purpose), content, "sha256").hex()

    @property
    def local_token(self) -> str:
        """The bearer token of the command line on this machine; accepted on loopback only, for reading only."""
        return f"local_{self.keyed('local', b'command line')}"


def secret_key(settings: Settings) -> SecretKey:
    """Return the secret from settings, or from its file, which is made (mode 0600) when there is none."""
    given = settings.secret_key.get_secret_value() if settings.secret_key else _from_file(settings.data_dir)
    if len(given) < _SHORTEST:
        raise SupportError(
            "settings", f"set SUPPORT_SECRET_KEY to at least {_SHORTEST} random characters, or to nothing"
        )
    return SecretKey(given.encode())


def make_data_dir(path: Path) -> None:
    """Make the data folder, readable by its owner only; close one of ours that others may read, refuse another's."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.stat()
        mode = stat.S_IMODE(found.st_mode)
        if not mode & _OTHERS:
            return
        if found.st_uid != os.geteuid() or mode & stat.S_ISVTX:
            message = (
                f"others may read {path} (mode {mode:04o}), and it is not this user's alone to close;"
                " set SUPPORT_DATA_DIR to a folder of this user's own"
            )
            raise SupportError("settings", message)
        path.chmod(0o700)
    except OSError as error:
        message = f"cannot make the data folder ({error.strerror}); set SUPPORT_DATA_DIR to a folder you may write to"
        raise SupportError("settings", message) from error
    logging.get().warning("data_dir_closed_to_others", reason=f"its mode was {mode:04o} and is 0700 now")


def _from_file(folder: Path) -> str:
    path = folder / FILE
    fresh = folder / f".{FILE}.{secrets.token_hex(8)}"
    if not path.exists():
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        try:
            # A link fails when another process was first: whoever loses reads the winner's.
            path.hardlink_to(fresh)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text().strip()
