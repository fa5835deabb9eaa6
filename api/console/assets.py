"""The console's static files: a fixed table read once, named with a hash of their content; nothing else is served."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "static"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_TAG_LENGTH = 12


@dataclass(frozen=True)
class Asset:
    """A file's bytes, its media type, and the first characters of its SHA-256."""

    content: bytes = field(repr=False)
    media_type: str
    tag: str


@cache
def table() -> Mapping[str, Asset]:
    """Every file that may be served, by its path below `static/`."""
    found = {}
    for path in sorted(_FOLDER.rglob("*")):
        if path.suffix in _TYPES:
            content = path.read_bytes()
            tag = hashlib.sha256(content).hexdigest()[:_TAG_LENGTH]
            found[path.relative_to(_FOLDER).as_posix()] = Asset(content, _TYPES[path.suffix], tag)
    return found


def address(name: str) -> str:
    """The URL of a file; it changes with the content, so browsers may keep it for ever."""
    return f"/console/static/{name}?v={table()[name].tag}"
