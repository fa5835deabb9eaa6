from pathlib import Path

import pytest

from support_agents.domain.errors import SupportError
from support_agents.evals.pii import Marked, measure
from support_agents.screening.pii import RULES


def test_finds_misses_and_wrong_finds_are_counted_by_type(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(
        '{"text": "a@b.example or c@d.example", "spans": [[0, 11, "EMAIL_ADDRESS"], [20, 26, "AGE"]]}\n'
        '{"text": "my friend Ann", "spans": [[10, 13, "PERSON"]]}\n',
        encoding="utf-8",
    )
    report = measure(Marked.read(path), RULES, lambda _done, _total: None)
    email = report.by_type["EMAIL"]
    assert (email.precision, email.recall, email.found, email.marked) == (0.5, 1.0, 2, 1)
    assert (report.by_type["NAME"].recall, report.by_type["NAME"].found) == (0.0, 0)
    assert (report.precision, report.recall, report.f1) == (0.5, 0.5, 0.5)
    assert report.identifiers == email
    assert report.not_looked_for == {"AGE": 1}


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ('{"spans": []}', "`text`"),
        ('{"text": "a"}', "`spans`"),
        ('{"text": "a", "spans": [[0, 2, "X"]]}', "`spans`"),
        ('{"text": "a", "spans": [[true, 1, "X"]]}', "`spans`"),
        ('{"text": 1, "spans": []}', "`text`"),
        ("[]", "object"),
        ("{", "JSON"),
    ],
)
def test_a_wrong_line_is_named(line: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f'{{"text": "", "spans": []}}\n{line}\n', encoding="utf-8")
    with pytest.raises(SupportError, match=rf"a\.jsonl line 2.*{name}"):
        Marked.read(path)


def test_a_missing_or_empty_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("\n", encoding="utf-8")
    for name in ("none.jsonl", "empty.jsonl"):
        with pytest.raises(SupportError, match=name):
            Marked.read(tmp_path / name)
