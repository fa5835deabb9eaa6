"""JSON lines with named faults: file, line and field; it never guesses what is missing."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support_agents.domain.errors import SupportError

_LONGEST_LINE = 2_000_000


@dataclass(frozen=True)
class Row:
    """One object of a file, with its place for messages."""

    path: Path
    line: int
    fields: dict[str, Any]

    def text(self, *names: str) -> str:
        """Return the first of these fields; missing, empty or of another type is a `SupportError`."""
        name, value = self._first(names)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(f"field `{name}` must be a text that is not empty")
        return value

    def texts(self, *names: str) -> tuple[str, ...]:
        """Return the first of these fields as a list of texts, at least one."""
        name, value = self._first(names)
        if not isinstance(value, list) or not value or not all(isinstance(one, str | int) for one in value):
            raise self.wrong(f"field `{name}` must be a list of at least one text")
        return tuple(map(str, value))

    def wrong(self, what: str) -> SupportError:
        """Return the error that says what is wrong here."""
        return SupportError("data_wrong", f"{self.path} line {self.line}: {what}; mend it")

    def _first(self, names: Sequence[str]) -> tuple[str, Any]:
        found = next((name for name in names if name in self.fields), None)
        if found is None:
            raise SupportError("data_wrong", f"{self.path} line {self.line} has no field `{names[0]}`; add it")
        return found, self.fields[found]


def read_rows(path: Path) -> Iterator[Row]:
    """Yield the objects of a file; one without any is a `SupportError`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SupportError("data_unreadable", f"cannot read {path}: {error.strerror}; check the path") from error
    numbered = [(number, line) for number, line in enumerate(content.splitlines(), start=1) if line.strip()]
    if not numbered:
        raise SupportError("data_empty", f"{path} has no lines; give one JSON object a line")
    return (_row(path, number, line) for number, line in numbered)


def _row(path: Path, number: int, line: bytes) -> Row:
    if len(line) > _LONGEST_LINE:
        raise SupportError("data_wrong", f"{path} line {number} is longer than {_LONGEST_LINE:,} bytes; shorten it")
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise SupportError("data_wrong", f"{path} line {number} is not JSON; give one object a line") from error
    if not isinstance(fields, dict):
        raise SupportError("data_wrong", f"{path} line {number} is not a JSON object; give one object a line")
    return Row(path, number, fields)
