"""Reads texts beside their documents from JSON lines; a wrong row is named by file, line and field, not mended."""

import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from support_agents.domain.errors import SupportError

_LONGEST_LINE = 400_000


class GroundingRow(BaseModel):
    """A text that was written of a document; `label` 1 says that it states nothing else than the document does."""

    model_config = ConfigDict(frozen=True, strict=True)

    domain: str = Field(default="all", min_length=1)
    doc: str = Field(min_length=1)
    summary: str = Field(min_length=1)
    label: int = Field(ge=0, le=1)

    @property
    def is_wrong(self) -> bool:
        """Whether the text says something else than the document."""
        return self.label == 0


def read_rows(path: Path) -> tuple[GroundingRow, ...]:
    """Read lines of `{"doc", "summary", "label", "domain"?}`; `SupportError` names file, line and field."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SupportError("data_unreadable", f"cannot read {path}: {error.strerror}; check the path") from error
    rows = tuple(_rows(path, content))
    if not rows:
        raise SupportError("data_empty", f"{path} has no lines; give one JSON object a line")
    return rows


def _rows(path: Path, content: bytes) -> Iterator[GroundingRow]:
    for number, line in enumerate(content.splitlines(), start=1):
        if line.strip():
            yield _row(f"{path} line {number}", line)


def _row(place: str, line: bytes) -> GroundingRow:
    if len(line) > _LONGEST_LINE:
        raise SupportError("data_wrong", f"{place} is longer than {_LONGEST_LINE} bytes; shorten it")
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise SupportError("data_wrong", f"{place} is not JSON; give one object a line") from error
    if not isinstance(entry, dict):
        raise SupportError("data_wrong", f"{place} is not a JSON object; give one object a line")
    try:
        return GroundingRow.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise SupportError("data_wrong", f"{place}: field `{field}`: {first['msg'].lower()}; mend it") from error
