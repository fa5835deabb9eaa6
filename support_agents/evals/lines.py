"""Reads JSON lines for evaluations and says which file, line and field is wrong; it never guesses a missing one."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from support_agents.domain.errors import SupportError

_LONGEST_LINE = 1_000_000


def rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each object with the number of its line; `SupportError` names file and line, also when there is none."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SupportError("data_unreadable", f"cannot read {path}: {error.strerror}; check the path") from error
    lines = [(number, line) for number, line in enumerate(content.splitlines(), start=1) if line.strip()]
    if not lines:
        raise SupportError("data_empty", f"{path} has no lines; give one JSON object a line")
    for number, line in lines:
        yield number, _entry(path, number, line)


def field(path: Path, number: int, entry: dict[str, Any], *names: str) -> Any:  # noqa: ANN401 - JSON
    """Return the value of the first of `names` that the line has; `SupportError` names file, line and field."""
    found = next((name for name in names if name in entry), None)
    if found is None:
        raise SupportError("data_wrong", f"{path} line {number} has no field `{names[0]}`; add it")
    return entry[found]


def text_field(path: Path, number: int, entry: dict[str, Any], *names: str) -> str:
    """Return a field that is a text."""
    value = field(path, number, entry, *names)
    if not isinstance(value, str):
        raise wrong(path, number, names[0], "must be a text")
    return value


def wrong(path: Path, number: int, name: str, why: str) -> SupportError:
    """Return the error of a field whose value will not do."""
    return SupportError("data_wrong", f"{path} line {number}: field `{name}` {why}; mend it")


def _entry(path: Path, number: int, line: bytes) -> dict[str, Any]:
    if len(line) > _LONGEST_LINE:
        raise SupportError("data_wrong", f"{path} line {number} is longer than {_LONGEST_LINE} bytes; shorten it")
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise SupportError("data_wrong", f"{path} line {number} is not JSON; give one object a line") from error
    if not isinstance(entry, dict):
        raise SupportError("data_wrong", f"{path} line {number} is not a JSON object; give one object a line")
    return entry
