"""`kb` and `ask`: what is found, answered and named, and that nothing is left behind."""

import json
from pathlib import Path

import pytest

from api.demo import shop
from tests.fixtures.command_line import CommandLine


def test_broken_articles_are_named_and_the_others_stored(run: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "kb"
    folder.mkdir()
    (folder / "good.md").write_text("# Parking\n\nGuests park behind the house for 5 euros a day.\n")
    (folder / "bad.md").write_text("---\nid: [\n---\n\ntext\n")
    done = run("kb", "sync", str(folder))
    assert done.returncode == 1
    assert done.stdout.startswith("1 added")
    assert "✗ bad.md" in done.stderr
    found = run("kb", "search", "where do I park the car", "--limit", "1")
    assert found.returncode == 0
    assert "good" in found.stdout
    assert "behind the house" in found.stdout


def test_a_query_without_a_word_and_a_file_for_a_folder_are_one_line(run: CommandLine, tmp_path: Path) -> None:
    for query in ("", "  ", "?!"):
        asked = run("kb", "search", query)
        assert (asked.returncode, asked.stdout, asked.stderr.count("\n")) == (1, "", 1)
        assert "the query holds no word; say what to look for" in asked.stderr
    file = tmp_path / "returns.md"
    file.write_text("# Returns\n\nWithin 30 days.\n")
    refused = run("kb", "sync", str(file))
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)
    assert f"{file} is not a folder of articles; give the folder that the files are in" in refused.stderr


def test_what_tells_no_language_is_in_the_accounts(run: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "kb"
    folder.mkdir()
    (folder / "x-200.md").write_text("# X-200\n\nX-200: 12 V, 3 A, IP44.\n")
    assert run("kb", "sync", str(folder), language="de").returncode == 0
    assert "x-200  (public, de)" in run("kb", "search", "X-200").stdout
    answer = json.loads(run("ask", "refund?", "--json", language="de").stdout)
    assert (answer["outcome"], answer["text"].splitlines()[2]) == (
        "clarify",
        "Können Sie uns bitte Ihre Bestellnummer nennen?",
    )
    strange = run("ask", "refund?", language="tlh")
    assert (strange.returncode, strange.stderr.count("\n")) == (1, 1)
    assert "set SUPPORT_LANGUAGE: write the ISO 639-1 code" in strange.stderr


def test_a_folder_without_articles_deletes_nothing_unless_told_to(run: CommandLine, tmp_path: Path) -> None:
    folder, nothing = tmp_path / "kb", tmp_path / "nothing"
    folder.mkdir()
    nothing.mkdir()
    (folder / "good.md").write_text("# Parking\n\nGuests park behind the house for 5 euros a day.\n")
    assert run("kb", "sync", str(folder)).returncode == 0
    refused = run("kb", "sync", str(nothing))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "nothing was changed" in refused.stderr
    assert run("kb", "sync", str(folder)).stdout.startswith("0 added, 0 changed, 1 unchanged, 0 removed")
    assert run("kb", "sync", str(nothing), "--empty").stdout.startswith("0 added, 0 changed, 0 unchanged, 1 removed")


def test_ask_file_answers_every_line_that_is_one(run_cold: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "messages.jsonl"
    rows = [
        json.dumps({"id": "status", "text": "How long does a refund take?"}),
        "{}",
        next(line for line in shop.MESSAGES.read_text(encoding="utf-8").splitlines()),
        json.dumps({"id": 3, "question": "Can he do that under German tenancy law?"}),
    ]
    file.write_text("\n".join(rows), encoding="utf-8")
    done = run_cold("ask", "--demo", "--file", str(file), "--json")
    assert done.returncode == 1
    assert (
        done.stderr.strip() == "messages.jsonl line 2: text: missing; give `text`, `question` or a whole webhook body"
    )
    first, second, third = (json.loads(line) for line in done.stdout.splitlines())
    keys = ["id", "outcome", "reason", "text", "citations", "checks", "proposals", "intent", "milliseconds", "stages"]
    assert list(first) == list(second) == list(third) == keys
    assert [first["id"], second["id"], third["id"]] == ["status", None, 3]
    assert all(set(citation) == {"article", "title", "quote"} for citation in first["citations"])
    assert all(set(check) == {"name", "result", "reason"} for check in first["checks"])
    refund = next(proposal for proposal in second["proposals"] if proposal["kind"] == "issue_refund")
    assert (refund["order_id"], refund["amount"]) == ("HW-10423", {"minor": 6490, "currency": "EUR"})
    assert second["intent"].startswith("refund")
    assert not run_cold.data.exists()


def test_ask_with_articles_of_its_own_leaves_no_trace(run: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "kb"
    folder.mkdir()
    (folder / "parking.md").write_text("# Parking\n\nGuests can park behind the house for 5 euros a day.\n")
    done = run("ask", "Where can I park my car, and what does parking cost?", "--kb", str(folder), "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert {citation["article"] for citation in answer["citations"]} <= {"parking"}
    assert not run.data.exists()


@pytest.mark.parametrize(
    "arguments", [["ask"], ["ask", "x", "--file", "y"], ["ask", "x", "--kb", "/nowhere"], ["ask", ""]]
)
def test_ask_without_sense_is_one_line(run: CommandLine, arguments: list[str]) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
