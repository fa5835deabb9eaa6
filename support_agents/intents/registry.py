"""Keeps every trained head as a signed folder and remembers which one is in use; it trains and changes none."""

import hmac
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from support_agents.domain.errors import SupportError
from support_agents.intents.kernel import KernelHead, read_manifest
from support_agents.intents.kernel_manifest import KernelManifest
from support_agents.intents.manifest import HEAD_NAME, MANIFEST_NAME

SIGNATURE_NAME = "signature"
POINTER_NAME = "active.json"
_VERSION = re.compile(r"[a-z0-9][a-z0-9_]{0,39}-[1-9][0-9]{0,5}")
_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,39}")
_SEE = "see `support-agents intents list`"


@dataclass(frozen=True)
class Version:
    """One stored head: its folder's name and what is known of it."""

    version: str
    manifest: KernelManifest
    active: bool


@dataclass(frozen=True)
class Registry:
    """Folders `NAME-NUMBER` below `root`; `key` is the installation's own: nobody else's head is loaded."""

    root: Path
    key: bytes = field(repr=False)
    older: tuple[bytes, ...] = field(default=(), repr=False)  # accepted, while one key takes another's place

    def add(self, manifest: KernelManifest, head: bytes) -> str:
        """Store a head under the next number of its name and return that version; nothing is overwritten."""
        if not _NAME.fullmatch(manifest.name):
            raise SupportError("intents_name", "name a model with small letters, digits and _, at most 40 of them")
        number = 1 + max(
            (_number(one.version) for one in self.versions() if one.manifest.name == manifest.name), default=0
        )
        version = f"{manifest.name}-{number}"
        folder = self.root / version
        content = (manifest.model_dump_json(indent=2) + "\n").encode()
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError as error:
            message = f"{version} was stored at the same moment; store it again"
            raise SupportError("intents_conflict", message, retryable=True) from error
        (folder / HEAD_NAME).write_bytes(head)
        (folder / MANIFEST_NAME).write_bytes(content)
        (folder / SIGNATURE_NAME).write_text(self._signature(version.encode() + b"\n" + content))
        return version

    def versions(self) -> tuple[Version, ...]:
        """Return every stored version that is signed here, by name and number."""
        if not self.root.is_dir():
            return ()
        names = sorted((p.name for p in self.root.iterdir() if _VERSION.fullmatch(p.name)), key=_order)
        active = self.active()
        return tuple(Version(name, self._manifest(name), name == active) for name in names if self._is_signed(name))

    def load(self, version: str, *, embedder_version: str) -> KernelHead:
        """Load a version after its signature."""
        self._manifest(version)
        return KernelHead.load(self.root / version, embedder_version=embedder_version)

    def active(self) -> str | None:
        """Return the version in use, None for the shipped model."""
        history = self._history()
        return history[-1] if history else None

    def promote(self, version: str) -> None:
        """Use a version from the next start on."""
        self._manifest(version)
        self._point([*self._history(), version])

    def rollback(self) -> str | None:
        """Go back to what was in use before; returns it, None for the shipped model."""
        history = self._history()
        if not history:
            raise SupportError("intents_no_earlier", f"the shipped model is in use and nothing came before it; {_SEE}")
        self._point(history[:-1])
        return self.active()

    def sign_again(self) -> int:
        """Sign everything that is signed here by the present key; returns how many heads."""
        found, history = self.versions(), self._history()
        for one in found:
            content = (self.root / one.version / MANIFEST_NAME).read_bytes()
            signature = self._signature(one.version.encode() + b"\n" + content)
            _replaced(self.root / one.version / SIGNATURE_NAME, signature)
        if (self.root / POINTER_NAME).exists():
            self._point(history)
        return len(found)

    def _manifest(self, version: str) -> KernelManifest:
        if not _VERSION.fullmatch(version) or not (self.root / version).is_dir():
            raise SupportError("intents_missing", f"there is no version {version!r}; {_SEE}")
        if not self._is_signed(version):
            message = f"{version} was not trained by this installation or has been changed; train it again"
            raise SupportError("intents_unsigned", message)
        return read_manifest(self.root / version)

    def _is_signed(self, version: str) -> bool:
        folder = self.root / version
        try:
            given = (folder / SIGNATURE_NAME).read_bytes()
            content = (folder / MANIFEST_NAME).read_bytes()
        except OSError:
            return False
        return self._is_ours(given, version.encode() + b"\n" + content)

    def _history(self) -> list[str]:
        path = self.root / POINTER_NAME
        if not path.exists():
            return []
        try:
            entry = json.loads(path.read_bytes())
            history, given = [str(one) for one in entry["history"]], str(entry["signature"])
        except (ValueError, KeyError, TypeError) as error:
            raise SupportError(
                "intents_unreadable", f"{POINTER_NAME} is damaged; remove it and promote again"
            ) from error
        if not self._is_ours(given.encode(), _listed(history)):
            message = f"{POINTER_NAME} was not written by this installation; remove it and promote again"
            raise SupportError("intents_unsigned", message)
        return history

    def _point(self, history: Sequence[str]) -> None:
        """Replace the pointer in one step, so that a crash leaves the old one or the new one."""
        content = {"history": list(history), "signature": self._signature(_listed(history))}
        _replaced(self.root / POINTER_NAME, json.dumps(content))

    def _is_ours(self, given: bytes, content: bytes) -> bool:
        """Whether it was signed by the present key or an older one."""
        signatures = (hmac.digest(key, content, "sha256").hex() for key in (self.key, *self.older))
        return any(hmac.compare_digest(given, each.encode()) for each in signatures)

    def _signature(self, content: bytes) -> str:
        return hmac.digest(self.key, content, "sha256").hex()


def _replaced(path: Path, content: str) -> None:
    """Replace a file in one step."""
    fresh = path.with_name(f".{path.name}")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _listed(history: Sequence[str]) -> bytes:
    return b"active\n" + "\n".join(history).encode()


def _order(version: str) -> tuple[str, int]:
    return version.rpartition("-")[0], _number(version)


def _number(version: str) -> int:
    return int(version.rpartition("-")[2])
