"""Lines of `ask --file`: three shapes are understood, and a wrong one is named by file, line and field."""

import io
import json
from pathlib import Path

import pytest

from api.cli.ask_input import BadLine, Line, lines
from api.demo import shop
from support_agents.domain.errors import SupportError
from support_agents.domain.ticket import Channel

BODY = {
    "type": "message.created",
    "occurred_at": "{now}",
    "ticket": {
        "id": "T-1",
        "subject": "Broken lamp",
        "requester": {"email": "mia@example.org", "name": "Mia", "verified": True},
        "channel": "chat",
        "order_id": "HW-1",
    },
    "message": {
        "id": "M-1",
        "text": "My lamp is broken.",
        "created_at": "{now}",
        "author": "customer",
        "attachments": [{"id": "A", "filename": "lamp.jpg", "content_type": "image/jpeg", "size": 5, "url": ""}],
    },
}


def read(tmp_path: Path, *rows: object) -> list[Line | BadLine]:
    file = tmp_path / "messages.jsonl"
    file.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
    return list(lines(file))


def test_text_and_question_are_the_same(tmp_path: Path) -> None:
    first, second = read(tmp_path, {"id": 7, "text": "Where is it?", "verified": True}, {"question": "Where is it?"})
    assert isinstance(first, Line)
    assert isinstance(second, Line)
    assert (first.id, first.question.text, first.question.requester.verified) == (7, "Where is it?", True)
    assert (second.id, second.question.text, second.question.requester.verified) == (None, "Where is it?", False)


@pytest.mark.parametrize("row", [BODY, {"id": "x", "body": BODY}])
def test_a_webhook_body_is_read_alone_and_wrapped(tmp_path: Path, row: object) -> None:
    (line,) = read(tmp_path, row)
    assert isinstance(line, Line)
    question = line.question
    assert (question.text, question.subject, question.order_id) == ("My lamp is broken.", "Broken lamp", "HW-1")
    assert (question.requester.email, question.requester.verified) == ("mia@example.org", True)
    assert question.channel is Channel.CHAT
    assert [attachment.filename for attachment in question.attachments] == ["lamp.jpg"]


def test_every_demo_message_is_understood() -> None:
    read_lines = list(lines(shop.MESSAGES))
    assert len(read_lines) == 24
    assert all(isinstance(line, Line) for line in read_lines)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("{", "messages.jsonl line 2: not JSON"),
        ([1], "messages.jsonl line 2: not an object"),
        ({"foo": 1}, "messages.jsonl line 2: text: missing"),
        ({"text": ""}, "messages.jsonl line 2: text: "),
        ({"text": None}, "messages.jsonl line 2: text: "),
        ({"text": "x", "order_id": "9" * 101}, "messages.jsonl line 2: order_id: "),
        ({"text": "x", "verified": "perhaps"}, "messages.jsonl line 2: verified: "),
        ({**BODY, "message": None}, "messages.jsonl line 2: message: missing"),
        ({**BODY, "ticket": {"subject": "x"}}, "messages.jsonl line 2: ticket.id: "),
        ({**BODY, "message": {"text": "x", "author": "operator"}}, "messages.jsonl line 2: message.author: "),
    ],
)
def test_a_wrong_line_is_named_and_stops_no_other(tmp_path: Path, row: object, problem: str) -> None:
    first, wrong, last = read(tmp_path, {"text": "one"}, row, {"text": "two"})
    assert isinstance(first, Line)
    assert isinstance(last, Line)
    assert isinstance(wrong, BadLine)
    assert wrong.problem.startswith(problem)
    assert "\n" not in wrong.problem


def test_a_problem_never_repeats_a_value(tmp_path: Path) -> None:
    (wrong,) = read(tmp_path, {"text": "x", "channel": "secret words"})
    assert isinstance(wrong, BadLine)
    assert "secret words" not in wrong.problem


def test_blank_lines_are_nothing_and_count(tmp_path: Path) -> None:
    _, wrong = read(tmp_path, {"text": "one"}, "", "  ", "x")
    assert isinstance(wrong, BadLine)
    assert "line 4" in wrong.problem


def test_a_file_that_cannot_be_read_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SupportError, match="No such file"):
        list(lines(tmp_path / "none.jsonl"))
    (tmp_path / "latin.jsonl").write_bytes(b'{"text": "caf\xe9"}')
    with pytest.raises(SupportError, match="not UTF-8"):
        list(lines(tmp_path / "latin.jsonl"))


def test_a_dash_is_what_is_piped_in(monkeypatch: pytest.MonkeyPatch) -> None:
    piped = io.TextIOWrapper(io.BytesIO(b'\xef\xbb\xbf{"id": 1, "text": "Where is it?"}\n\n{"text": ""}\n'))
    monkeypatch.setattr("sys.stdin", piped)
    good, bad = lines(Path("-"))
    assert isinstance(good, Line)
    assert (good.id, good.question.text) == (1, "Where is it?")
    assert isinstance(bad, BadLine)
    assert bad.problem.startswith("- line 3: text")
