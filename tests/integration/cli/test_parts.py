"""`support-agents db parts` and `audit verify`: they say what is there, and what cannot be done and why."""

from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from api.cli.main import app, run


def told(*arguments: str) -> str:
    """What a command says that does what it should."""
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line of a command that does nothing."""
    assert run(arguments) == 1
    return capsys.readouterr().err


@pytest.fixture(autouse=True)
def _data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SUPPORT_DATA_DIR", str(tmp_path / "data"))


def test_sqlite_has_none(capsys: pytest.CaptureFixture[str]) -> None:
    told("db", "upgrade")
    for arguments in (["list"], ["make"], ["detach", "--before", "2020-01-01"]):
        assert "SQLite keeps each table whole" in refused(capsys, "db", "parts", *arguments)
    assert "the audit holds" in told("audit", "verify")


def test_parts_are_listed_made_and_taken_off(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SUPPORT_DATABASE_URL", postgres_url)
    listed = told("db", "parts", "list")
    assert [line.split()[0] for line in listed.splitlines() if " messages_" in line] == [
        "messages_first",
        "messages_rest",
    ]
    assert told("db", "parts", "make") == "0 parts made\n"
    assert told("db", "parts", "detach", "--before", "2020-01-01") == "no part ends before 2020-01-01\n"
    assert "an earlier month" in refused(capsys, "db", "parts", "detach", "--before", "2999-01-01")
    assert "SUPPORT_DATABASE_KEEP_MONTHS" in refused(capsys, "db", "parts", "detach")
    assert "`stay` or `go`" in refused(capsys, "db", "parts", "detach", "--open-tickets", "all")
    monkeypatch.setenv("SUPPORT_DATABASE_KEEP_MONTHS", "24")
    assert told("db", "parts", "detach").startswith("no part ends before 20")


def test_a_changed_entry_ends_with_code_1(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPPORT_DATABASE_URL", postgres_url)
    assert told("audit", "verify") == "the audit holds\n"
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        connection.execute("SET session_replication_role = replica")  # past the triggers
        connection.execute(
            "INSERT INTO audit (id, workspace_id, at, event, subject, actor, data, sealed_seq, salt, commitment, seal)"
            " SELECT gen_random_uuid(), id, now(), 'x', id, 'x', '{}', 1, 's', 'c', 's' FROM workspaces"
        )
    done = CliRunner().invoke(app, ["audit", "verify"])
    assert done.exit_code == 1
    assert "entry 1: changed" in done.stdout
    assert "the audit does not hold" in done.stdout


def test_doctor_says_when_rows_have_found_no_month(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPPORT_DATABASE_URL", postgres_url)
    assert "✓ parts: 6" in CliRunner().invoke(app, ["doctor"]).stdout
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        connection.execute(
            "INSERT INTO audit (id, workspace_id, at, event, subject, actor, data)"
            " SELECT 'f0000000-0000-7000-8000-000000000000', id, now(), 'x', id, 'x', '{}' FROM workspaces"
        )
    assert "✗ parts: audit_rest: rows that fit no month" in CliRunner().invoke(app, ["doctor"]).stdout
