"""JSON lines: whatever is wrong is said in one sentence that names file, line and field."""

import json
from pathlib import Path

import pytest

from support_agents.domain.errors import SupportError
from support_agents.intents.rows import Row, read_rows

LONGEST = 1_000


def rows(folder: Path, content: str) -> list[Row]:
    path = folder / "data.jsonl"
    path.write_text(content, encoding="utf-8")
    return list(read_rows(path, longest=LONGEST))


def row(**fields: object) -> Row:
    return Row(Path("data.jsonl"), 7, fields)


def told(caught: pytest.ExceptionInfo[SupportError]) -> str:
    return caught.value.message


def test_lines_keep_their_numbers_and_blank_ones_are_passed_over(tmp_path: Path) -> None:
    found = rows(tmp_path, '{"a": 1}\n \n{"b": 2}\n')
    assert [(one.line, one.fields) for one in found] == [(1, {"a": 1}), (3, {"b": 2})]


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        ("{}\nnonsense", "data_wrong", "data.jsonl line 2 is not JSON; give one object a line"),
        ("[" * LONGEST, "data_wrong", "data.jsonl line 1 is not JSON; give one object a line"),
        ("{}\n\n[1]", "data_wrong", "data.jsonl line 3 is not a JSON object; give one object a line"),
        (json.dumps({"a": "x" * LONGEST}), "data_wrong", "data.jsonl line 1 is longer than 1,000 bytes; shorten it"),
        ("\n \n", "data_empty", "data.jsonl has no lines; give one JSON object a line"),
    ],
)
def test_a_file_that_is_not_one_object_a_line_is_told(tmp_path: Path, content: str, code: str, said: str) -> None:
    with pytest.raises(SupportError) as caught:
        rows(tmp_path, content)
    assert caught.value.code == code
    assert told(caught).endswith(said)


def test_a_file_that_is_missing_or_empty_is_told_before_its_first_row_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(SupportError, match=r"cannot read .*none\.jsonl: No such file or directory; check the path"):
        read_rows(tmp_path / "none.jsonl", longest=LONGEST)
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(SupportError, match="has no lines"):
        read_rows(tmp_path / "empty.jsonl", longest=LONGEST)


def test_a_field_is_the_first_of_its_names() -> None:
    assert row(id=1, doc_id=2).first("doc_id", "id") == ("doc_id", 2)
    assert row(id=1).first("doc_id", "id") == ("id", 1)
    with pytest.raises(SupportError) as caught:
        row(other=1).first("doc_id", "id")
    assert told(caught) == "data.jsonl line 7 has no field `doc_id`; add it"


def test_a_string_may_be_empty_and_a_text_may_not() -> None:
    assert (row(a="").string("a"), row(a=" b").text("a"), row(a=12).text("a")) == ("", " b", "12")
    for value in (" ", "", None, True, 1.5, ["b"]):
        with pytest.raises(SupportError) as caught:
            row(a=value).text("b", "a")
        assert told(caught) == "data.jsonl line 7: field `a` must be a text that is not empty; mend it"
    for value in (12, None, ["b"]):
        with pytest.raises(SupportError, match="field `a` must be a text; mend it"):
            row(a=value).string("a")


def test_texts_are_a_list_of_at_least_one() -> None:
    assert row(a=["b", 3]).texts("a") == ("b", "3")
    for value in ([], "b", ["b", None], None):
        with pytest.raises(SupportError, match="field `a` must be a list of at least one text; mend it"):
            row(a=value).texts("a")
