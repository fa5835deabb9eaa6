"""Reads texts beside their documents from JSON lines; a wrong row is named by file, line and field, not mended."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from support_agents.intents.rows import Row, read_rows

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


def grounding_rows(path: Path) -> tuple[GroundingRow, ...]:
    """Read lines of `{"doc", "summary", "label", "domain"?}`; `SupportError` names file, line and field."""
    return tuple(map(_grounding_row, read_rows(path, longest=_LONGEST_LINE)))


def _grounding_row(row: Row) -> GroundingRow:
    try:
        return GroundingRow.model_validate(row.fields)
    except ValidationError as error:
        first = error.errors()[0]
        raise row.wrong(".".join(map(str, first["loc"])), f"will not do: {first['msg'].lower()}") from error
