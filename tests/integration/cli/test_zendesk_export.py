"""`kb sync zendesk-export`: one file into stored articles and files to finish; a second time changes nothing."""

import json
from pathlib import Path

import pytest

from support_agents.knowledge.loaders import LARGEST_BYTES
from tests.fixtures.command_line import CommandLine

RETURNS = "You can return an item within 30 days of delivery."
LAMP = "Every lamp from our shop has a warranty of four years."
REPLIES = 25


def export(path: Path, **changed: object) -> Path:
    """Write an export with two articles in use, two macros and enough solved replies to tell a style from."""
    articles = [
        {"id": 101, "title": "Returns", "locale": "en-us", "body": f"<h2>How long</h2><p>{RETURNS}</p>"},
        {"id": 102, "title": "Warranty", "locale": "en-us", "user_segment_id": 9, "body": f"<p>{LAMP}</p>"},
        {"id": 103, "title": "Not yet", "locale": "en-us", "draft": True, "body": "<p>Nobody may read this.</p>"},
    ]
    greeting, closing = "Hi {{ticket.requester.first_name}},", "Best,\n{{current_user.name}}"
    wording = f"{greeting}\n\n{RETURNS} We look forward to it.\n\n{closing}"
    macros = [
        {
            "id": 7,
            "title": "Return::How long",
            "active": True,
            "actions": [{"field": "comment_value", "value": wording}],
        },
        {"id": 8, "title": "Out of use", "active": False, "actions": [{"field": "comment_value", "value": wording}]},
    ]
    tickets = [_ticket(number) for number in range(REPLIES)]
    content = {"articles": articles, "macros": macros, "tickets": tickets, **changed}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def _ticket(number: int) -> dict[str, object]:
    reply = f"Your parcel {number} has left our house this morning.\n\nWarm greetings\nYour Hearthwell team"
    customer, writer = 10 + number, number % 2
    said = [
        {"author_id": customer, "public": True, "body": "I am Petra Muster and I am waiting."},
        {"author_id": writer, "public": True, "body": reply},
    ]
    return {"id": number, "status": "solved", "requester_id": customer, "via": {"channel": "email"}, "comments": said}


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def test_an_export_is_found_written_and_not_written_twice(run: CommandLine, tmp_path: Path) -> None:
    file, macros = export(tmp_path / "export.json"), tmp_path / "macros"
    whole = ("kb", "sync", "zendesk-export", str(file), "--macros", str(macros), "--solved-replies")
    done = run(*whole)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("2 added, 0 changed, 0 unchanged, 0 removed · 2 passages stored")
    said = " ".join(done.stdout.split())
    assert "1 macros written as drafts, 0 were there already; 1 sentences rest on an article, 1 on nothing yet" in said
    found = run("kb", "search", "how many days do I have to send something back", "--limit", "1").stdout
    assert "zendesk-101 › How long  (public, en)" in found
    assert RETURNS in found
    assert "zendesk-102  (internal, en)" in run("kb", "search", "warranty of a lamp", "--limit", "1").stdout
    written = contents(macros)
    assert set(written) == {"zendesk-7.md.draft", "voice.yaml.draft"}
    assert f"{RETURNS} [zendesk-101]\nWe look forward to it.\n" in written["zendesk-7.md.draft"]
    assert "Your Hearthwell team" in written["voice.yaml.draft"]
    assert not any("Petra" in text or "{{" in text for text in written.values()), "nobody's words, no placeholder"

    again = run(*whole)
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout.startswith("0 added, 0 changed, 2 unchanged, 0 removed · 0 passages stored")
    assert "0 macros written as drafts, 1 were there already" in again.stdout
    assert f"{macros / 'voice.yaml.draft'} was there already and is kept" in again.stdout.replace("\n", "")
    assert contents(macros) == written


def test_what_is_no_longer_exported_goes_and_a_folder_stays(run: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "kb"
    folder.mkdir()
    (folder / "parking.md").write_text("# Parking\n\nGuests park behind the house for 5 euros a day.\n")
    assert run("kb", "sync", str(folder)).returncode == 0
    file = export(tmp_path / "export.json")
    first = run("kb", "sync", "zendesk-export", str(file))
    assert first.stdout.startswith("2 added, 0 changed, 0 unchanged, 0 removed")
    assert "1 macros left out; --macros DIR writes them as drafts" in first.stdout
    changed = [{"id": 101, "title": "Returns", "locale": "en-us", "body": "<p>You can return it within 60 days.</p>"}]
    done = run("kb", "sync", "zendesk-export", str(export(file, articles=changed)))
    assert done.stdout.startswith("0 added, 1 changed, 0 unchanged, 1 removed")
    assert "60 days" in run("kb", "search", "return", "--limit", "1").stdout
    assert run("kb", "sync", str(folder)).stdout.startswith("0 added, 0 changed, 1 unchanged, 0 removed")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{", "the file is not JSON; give a JSON object with `articles`, `macros` or `tickets`"),
        (b"[]", "the file is not a JSON object; give a JSON object"),
        (b"\xff\xfe", "not UTF-8 text; give"),
        (b'{"articles": []}', "holds nothing that can be used; give"),
        (b"[" * LARGEST_BYTES, "export.json"),
    ],
    ids=["cut", "list", "bytes", "nothing", "deep"],
)
def test_a_broken_export_is_one_line_and_changes_nothing(
    run: CommandLine, tmp_path: Path, content: bytes, told: str
) -> None:
    file = export(tmp_path / "export.json")
    assert run("kb", "sync", "zendesk-export", str(file)).returncode == 0
    file.write_bytes(content)
    done = run("kb", "sync", "zendesk-export", str(file), "--macros", str(tmp_path / "macros"))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert str(file) in done.stderr
    assert told in done.stderr
    assert "zendesk-101" in run("kb", "search", "return", "--limit", "1").stdout
    assert not (tmp_path / "macros").exists()
