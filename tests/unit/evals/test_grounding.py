"""`eval grounding`: its arithmetic, and every wrong row named by file, line and field."""

import json
from pathlib import Path

import pytest

from support_agents.domain.errors import SupportError
from support_agents.evals.grounding import measure
from support_agents.evals.grounding_rows import GroundingRow, grounding_rows

DOC = "You can return an item within 30 days of delivery."
RIGHT = {"domain": "shop", "doc": DOC, "summary": "An item can be returned within 30 days.", "label": 1}
WRONG = {"domain": "shop", "doc": DOC, "summary": "An item can be returned within 60 days.", "label": 0}
MISSED = {"domain": "desk", "doc": DOC, "summary": "An item can be bought within 30 days.", "label": 0}


def written(tmp_path: Path, *rows: object) -> Path:
    path = tmp_path / "rows.jsonl"
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_the_figures_are_the_shares_of_each_label_and_domain(tmp_path: Path) -> None:
    rows = grounding_rows(written(tmp_path, RIGHT, WRONG, MISSED, ""))
    steps: list[tuple[int, int]] = []
    figures = measure(rows, "en", lambda done, total: steps.append((done, total)))
    assert (figures.rows, figures.wrong_flagged, figures.right_passed) == (3, 0.5, 1.0)
    assert figures.balanced_accuracy == 0.75
    assert figures.domains["shop"].balanced_accuracy == 1.0
    assert figures.domains["desk"].balanced_accuracy is None  # it has no right text to pass
    assert (figures.signs["number"].rows, figures.signs["number"].wrong) == (1, 1.0)
    assert figures.signs["negation"].wrong is None
    assert steps == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_a_domain_and_other_fields_may_be_left_out_or_added(tmp_path: Path) -> None:
    row = {key: value for key, value in RIGHT.items() if key != "domain"}
    assert grounding_rows(written(tmp_path, {**row, "edit_types": []})) == (GroundingRow.model_validate(row),)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({**RIGHT, "label": "1"}, "`label`"),
        ({**RIGHT, "label": 2}, "`label`"),
        ({**RIGHT, "label": None}, "`label`"),
        ({**RIGHT, "summary": ""}, "`summary`"),
        ({**RIGHT, "doc": 3}, "`doc`"),
        ({"doc": DOC, "label": 1}, "`summary`"),
        ("{not json", "is not JSON"),
        ("[1]", "is not a JSON object"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_a_wrong_row_is_named_by_file_line_and_field(tmp_path: Path, row: object, told: str) -> None:
    with pytest.raises(SupportError) as raised:
        grounding_rows(written(tmp_path, RIGHT, row))
    message = str(raised.value)
    assert "rows.jsonl line 2" in message
    assert told in message
    assert "\n" not in message


def test_an_empty_and_a_missing_file_say_so(tmp_path: Path) -> None:
    with pytest.raises(SupportError, match="has no lines"):
        grounding_rows(written(tmp_path, ""))
    with pytest.raises(SupportError, match="cannot read"):
        grounding_rows(tmp_path / "missing.jsonl")
