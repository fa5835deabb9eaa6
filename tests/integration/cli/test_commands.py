"""Whatever is wrong with settings, database, files or words is one line."""

import json
from pathlib import Path

import pytest

from tests.fixtures.command_line import CommandLine


def test_a_wrong_setting_is_one_line(run_cold: CommandLine) -> None:
    done = run_cold("db", "current", port="many")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "set SUPPORT_PORT" in done.stderr


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nonsense", "set SUPPORT_DATABASE_URL: write"),
        ("postgresql+psycopg://nobody@127.0.0.1:1/none", "Connection refused"),
        ("sqlite+aiosqlite:////dev/null/none.db", "unable to open database file"),
    ],
)
def test_a_database_that_cannot_be_reached_is_one_line(run: CommandLine, url: str, told: str) -> None:
    done = run("operators", "list", database_url=url)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert told in done.stderr
    assert "SUPPORT_DATABASE_URL" in done.stderr


def test_an_unknown_run_is_one_line(run: CommandLine) -> None:
    done = run("runs", "show", "01990000-0000-7000-8000-000000000001")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "no finished run" in done.stderr


def test_a_demo_wants_an_empty_folder(run: CommandLine) -> None:
    run.data.mkdir()
    (run.data / "something").touch()
    done = run("demo", "--data", str(run.data))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "not an empty folder" in done.stderr


def test_an_authority_file_that_contradicts_itself_is_named(run: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "authority.yaml"
    path.write_text("rules:\n  - {name: words, action: send_reply, approvals: 1, managers: 2}\n")
    done = run("ask", "Hello?", authority=str(path))
    assert done.returncode == 1
    assert "authority.yaml: “words”: asks for more managers than approvals" in done.stderr


def test_gaps_of_an_installation_that_has_answered_nobody_are_none(run: CommandLine) -> None:
    done = run("kb", "gaps", "--json")
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
    told = run("kb", "gaps", "--days", "7")
    assert (told.returncode, told.stdout) == (0, "")
    assert "0 unanswered questions in 7 days" in told.stderr


def test_conflicts_need_a_policy_and_are_an_exit_code(run: CommandLine, tmp_path: Path) -> None:
    without = run("kb", "conflicts")
    assert (without.returncode, without.stderr.count("\n")) == (1, 1)
    assert "SUPPORT_POLICY" in without.stderr
    articles, policy = tmp_path / "articles", tmp_path / "policy.yaml"
    articles.mkdir()
    (articles / "returns.md").write_text("# Returns\n\nYou can return an item within 60 days of delivery.\n")
    clause = "{id: return-window, version: 1, text: An item may be returned within 30 days of delivery., owner: care,"
    dates = "valid_from: 2025-01-01, verified_on: 2026-01-01, applies_to: [return_request]}"
    policy.write_text(f"version: 1\nclauses:\n  - {clause} {dates}\n")
    assert "none says something else" in run("kb", "conflicts", policy=str(policy)).stderr
    assert run("kb", "sync", str(articles)).returncode == 0
    told = run("kb", "conflicts", "--json", policy=str(policy))
    (conflict,) = json.loads(told.stdout)
    assert (told.returncode, conflict["sentence"]) == (1, "You can return an item within 60 days of delivery.")
