"""The knowledge base's files that a reply may carry, by name and hash; a customer's file never gets here."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from approvals.canonical import Attached
from support_agents.domain.errors import SupportError

BIGGEST = 10 * 1024 * 1024
TYPES = {".pdf": "application/pdf", ".png": "image/png", ".jpg": "image/jpeg", ".txt": "text/plain"}


@dataclass(frozen=True)
class Shelf:
    """What stood in the folder when it was opened; read again, and held against its hash, when it is sent."""

    folder: Path | None = None
    files: Mapping[str, Attached] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path) -> "Shelf":
        """List the folder; anything that cannot be attached is refused here, not when a letter is due."""
        return cls(folder, {path.name: _described(path) for path in sorted(folder.iterdir()) if path.name[0] != "."})

    def find(self, name: str) -> Attached | None:
        """Return the file of this name, if there is one."""
        return self.files.get(name)

    def read(self, attached: Attached) -> bytes:
        """Return exactly the bytes that were approved; raise when they are no longer there."""
        path = None if self.folder is None else self.folder / attached.filename
        if path is None or self.files.get(attached.filename) != attached:
            raise SupportError("attachment_gone", f"{attached.filename} is no longer what was approved")
        try:
            content = path.read_bytes()
        except OSError as error:
            raise SupportError("attachment_gone", f"{attached.filename} cannot be read") from error
        if hashlib.sha256(content).hexdigest() != attached.sha256:
            raise SupportError("attachment_gone", f"{attached.filename} has changed since it was approved")
        return content


def _described(path: Path) -> Attached:
    if path.is_symlink() or not path.is_file() or path.suffix not in TYPES or not path.name.isascii():
        raise SupportError(
            "settings", f"{path} cannot be attached: plain files, one of {', '.join(TYPES)}, ASCII names"
        )
    content = path.read_bytes()
    if len(content) > BIGGEST:
        raise SupportError("settings", f"{path} is too big to be attached: {BIGGEST} bytes at most")
    return Attached(
        sha256=hashlib.sha256(content).hexdigest(),
        filename=path.name,
        content_type=TYPES[path.suffix],
        size=len(content),
    )
