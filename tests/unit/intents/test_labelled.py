from pathlib import Path

import pytest

from support_agents.domain.errors import SupportError
from support_agents.intents.labelled import Labelled


def written(folder: Path, content: str) -> Path:
    path = folder / "data.jsonl"
    path.write_text(content, encoding="utf-8")
    return path


def test_lines_are_read_in_order_with_either_name_of_the_text(tmp_path: Path) -> None:
    path = written(tmp_path, '{"text": "a", "intent": "x"}\n\n{"utterance": "b", "intent": " oos ", "tags": "Q"}\n')
    found = Labelled.read(path)
    assert (found.texts, found.intents) == (("a", "b"), ("x", "oos"))
    assert (found.in_scope.texts, found.out_of_scope.texts) == (("a",), ("b",))


def test_what_is_no_class_is_unknown(tmp_path: Path) -> None:
    found = Labelled.read(written(tmp_path, '{"text": "a", "intent": "x"}\n{"text": "b", "intent": "y"}'))
    assert found.within({"x"}).intents == ("x", "unknown")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"text": "a", "intent": "x"}\nnonsense', "line 2 is not JSON"),
        ('{"text": "a", "intent": "x"}\n["a"]', "line 2 is not a JSON object"),
        ('{"text": "a"}', "line 1 has no field `intent`"),
        ('{"intent": "x"}', "line 1 has no field `text`"),
        ('{"text": 4, "intent": "x"}', "line 1: field `text`"),
        ('{"text": "a", "intent": " "}', "line 1: field `intent`"),
        ("[" * 100_000, "line 1 is not JSON"),
        ("", "has no lines"),
    ],
)
def test_a_wrong_file_is_told_by_file_line_and_field(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(SupportError) as caught:
        Labelled.read(written(tmp_path, content))
    assert said in caught.value.message
    assert "data.jsonl" in caught.value.message


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SupportError) as caught:
        Labelled.read(tmp_path / "none.jsonl")
    assert "none.jsonl" in caught.value.message
