"""JSON lines with named faults: file, line and field; it never guesses what is missing."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support_agents.domain.errors import SupportError


@dataclass(frozen=True)
class Row:
    """One object of a file, with its place for messages; a field may go by several names, the first found is taken."""

    path: Path
    line: int
    fields: dict[str, Any]

    def first(self, *names: str) -> tuple[str, Any]:
        """Return the name that the field goes by and its value, whatever it is; a missing one is a `SupportError`."""
        found = next((name for name in names if name in self.fields), None)
        if found is None:
            raise SupportError("data_wrong", f"{self.path} line {self.line} has no field `{names[0]}`; add it")
        return found, self.fields[found]

    def string(self, *names: str) -> str:
        """Return a field that is a text, which may be empty."""
        name, value = self.first(*names)
        if not isinstance(value, str):
            raise self.wrong(name, "must be a text")
        return value

    def text(self, *names: str) -> str:
        """Return a field that is a text and not empty; a whole number, as in an id, is taken as one."""
        name, value = self.first(*names)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(name, "must be a text that is not empty")
        return value

    def texts(self, *names: str) -> tuple[str, ...]:
        """Return a field that is a list of texts, at least one."""
        name, value = self.first(*names)
        if not isinstance(value, list) or not value or not all(isinstance(one, str | int) for one in value):
            raise self.wrong(name, "must be a list of at least one text")
        return tuple(map(str, value))

    def wrong(self, name: str, why: str) -> SupportError:
        """Return the error of a field whose value will not do."""
        return SupportError("data_wrong", f"{self.path} line {self.line}: field `{name}` {why}; mend it")


def read_rows(path: Path, *, longest: int) -> Iterator[Row]:
    """Return the objects of a file, each line of at most `longest` bytes; a file without any is a `SupportError`."""
    return rows_of(content_of(path), path, longest=longest)


def content_of(path: Path) -> bytes:
    """Return the bytes of a file; one that cannot be read is a `SupportError`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise SupportError("data_unreadable", f"cannot read {path}: {error.strerror}; check the path") from error


def rows_of(content: bytes, path: Path, *, longest: int) -> Iterator[Row]:
    """Return the objects of a file's content; `path` is for messages."""
    numbered = [(number, line) for number, line in enumerate(content.splitlines(), start=1) if line.strip()]
    if not numbered:
        raise SupportError("data_empty", f"{path} has no lines; give one JSON object a line")
    return (Row(path, number, _fields(f"{path} line {number}", line, longest)) for number, line in numbered)


def _fields(place: str, line: bytes, longest: int) -> dict[str, Any]:
    if len(line) > longest:
        raise SupportError("data_wrong", f"{place} is longer than {longest:,} bytes; shorten it")
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise SupportError("data_wrong", f"{place} is not JSON; give one object a line") from error
    if not isinstance(fields, dict):
        raise SupportError("data_wrong", f"{place} is not a JSON object; give one object a line")
    return fields
