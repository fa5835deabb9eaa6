"""The installation's own secret: one file, and a key for each purpose derived from it; it is never logged or sent.

What was made under an earlier secret holds while that is given, too (`api.key_records` says how it is let go).
"""

import hmac
import os
import secrets
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from api import logging
from api.settings import Settings
from support_agents.domain.errors import SupportError

FILE = "secret_key"
FILE_OF_OLD = "secret_keys_old"
_NAME_LENGTH = 16
_SHORTEST = 32
_OTHERS = 0o077


@dataclass(frozen=True)
class Former:
    """An earlier key as far as it is still needed; `sealed_to` is the audit's last entry that it may have sealed."""

    fingerprint: str
    keys: Mapping[str, bytes] = field(repr=False)
    sealed_to: int | None = None


@dataclass
class History:
    """The keys that were ever in use, oldest first, as the database names them; empty until it was read."""

    fingerprints: tuple[str, ...] = ()
    former: Mapping[str, Former] = field(default_factory=dict)


@dataclass(frozen=True)
class SecretKey:
    """Derives keys; the same purpose always gives the same key. `older` ones are accepted and sign nothing."""

    root: bytes = field(repr=False)
    older: tuple[bytes, ...] = field(default=(), repr=False)
    history: History = field(default_factory=History, repr=False, compare=False)

    def derived(self, purpose: str) -> bytes:
        """Return the 32-byte key for one purpose."""
        return hmac.digest(self.root, purpose.encode(), "sha256")

    @property
    def fingerprint(self) -> str:
        """Tells this key from another, and nothing about it."""
        return self.keyed("fingerprint", b"")[:_NAME_LENGTH]

    @property
    def elders(self) -> tuple["SecretKey", ...]:
        """Each older key by itself."""
        return tuple(SecretKey(root) for root in self.older)

    def accepted(self, purpose: str) -> tuple[bytes, ...]:
        """The older keys for one purpose, for what is verified and short-lived or made anew when a key is let go."""
        return tuple(each.derived(purpose) for each in self.elders)

    def lasting(self, purpose: str) -> tuple[bytes, ...]:
        """Every key of a purpose whose work cannot be made anew, the installation's first one first."""
        held = {each.fingerprint: each.derived(purpose) for each in (self, *self.elders)}
        kept = {name: former.keys[purpose] for name, former in self.history.former.items() if purpose in former.keys}
        known = held | kept
        return tuple(known[name] for name in (*self.history.fingerprints, *held) if name in known)

    def first(self, purpose: str) -> bytes:
        """The key of a purpose under which things must be found again for ever, whatever was rotated since."""
        return self.lasting(purpose)[0]

    def sealers(self, purpose: str) -> tuple[tuple[bytes, int | None], ...]:
        """The older keys of a chain, each with the last entry that it may have sealed (None: not let go of yet)."""
        former = self.history.former
        kept = ((each.keys[purpose], each.sealed_to) for each in former.values() if purpose in each.keys)
        # One that was let go of and still stands in the settings says no more than what is kept of it.
        given = (each.derived(purpose) for each in self.elders if each.fingerprint not in former)
        return (*((key, None) for key in given), *kept)

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
    older = [each.get_secret_value() for each in settings.secret_keys_old]
    return SecretKey(given.encode(), _others(given, [*older, *_lines(settings.data_dir / FILE_OF_OLD)]))


def decision_key(settings: Settings) -> SecretKey | None:
    """Return the key of decisions where it is one of its own, None where it is derived from the installation's."""
    if settings.decision_key is None:
        return None
    given = settings.decision_key.get_secret_value()
    return SecretKey(given.encode(), _others(given, [each.get_secret_value() for each in settings.decision_keys_old]))


def replace_file(folder: Path) -> None:
    """Make a new secret in the file, and the present one an older one; whoever reads meanwhile has both or the old."""
    present = _from_file(folder)
    _write(folder / FILE_OF_OLD, [*_others_of_file(folder, present), present])
    _write(folder / FILE, [secrets.token_urlsafe(48)])


def drop_old_file(folder: Path) -> None:
    """Take the file of older secrets away, when nothing needs them any more."""
    (folder / FILE_OF_OLD).unlink(missing_ok=True)


def _others(given: str, older: Iterable[str]) -> tuple[bytes, ...]:
    return tuple(each.encode() for each in dict.fromkeys(older) if each != given)


def _others_of_file(folder: Path, present: str) -> list[str]:
    return [each for each in _lines(folder / FILE_OF_OLD) if each != present]


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text().splitlines() if line.strip()]
    except FileNotFoundError:
        return []


def _write(path: Path, lines: Iterable[str]) -> None:
    """Replace a file of secrets in one step, for its owner's eyes."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


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
