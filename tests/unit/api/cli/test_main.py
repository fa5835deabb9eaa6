"""The command line's edge: one line for every failure, exit codes, and a help that loads nothing."""

import subprocess
import sys

import pytest

from api.cli import main
from support_agents.domain.errors import SupportError


def failing_with(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_arguments: list[str]) -> int:
        raise error

    monkeypatch.setattr(main, "_ran", fail)


def test_no_arguments_show_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run([]) == 0
    shown = capsys.readouterr().out
    for command in (
        "serve",
        "demo",
        "ask",
        "doctor",
        "kb",
        "runs",
        "operators",
        "tokens",
        "quarantine",
        "db",
        "intents",
    ):
        assert f"  {command} " in shown


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["bogus"], "see `support-agents --help`"),
        (["kb"], "see `support-agents kb --help`"),
        (["kb", "sync"], "see `support-agents kb sync --help`"),
        (["kb", "sync", "/nowhere"], "see `support-agents kb sync --help`"),
        (["kb", "sync", "zendesk-export"], "name the file behind zendesk-export"),
        (["kb", "sync", ".", "--macros", "m"], "belong to `kb sync zendesk-export FILE`"),
        (["kb", "sync", ".", __file__], "FILE stands behind the word zendesk-export"),
        (["kb", "sync", "zendesk-export", __file__, "--empty"], "without --watch, --empty or --fetch"),
        (["ask", "--bogus"], "see `support-agents ask --help`"),
        (["runs", "show", "17"], "see `support-agents runs show --help`"),
        (["operators", "add", "a@example.org", "--role", "king"], "see `support-agents operators add --help`"),
    ],
)
def test_misuse_is_one_line_with_the_help_to_read(
    arguments: list[str], advice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(arguments) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert advice in told


def test_our_errors_are_one_line_with_advice(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing_with(SupportError("database_unavailable", "no route\nto host"), monkeypatch)
    assert main.run(["db", "current"]) == 1
    told = capsys.readouterr().err
    assert told == "support-agents: no route to host – check SUPPORT_DATABASE_URL and run `support-agents doctor`\n"


def test_a_bug_is_one_line_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing_with(KeyError("x"), monkeypatch)
    assert main.run(["doctor"]) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "--debug" in told
    with pytest.raises(KeyError):
        main.run(["doctor"], debug=True)


def test_ctrl_c_is_no_error_message(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def stop(_arguments: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(main, "_ran", stop)
    assert main.run(["kb", "sync", "."]) == 130
    assert capsys.readouterr().err == "support-agents: stopped\n"


def test_help_loads_no_engine() -> None:
    heavy = ("sqlalchemy", "fastapi", "onnxruntime", "qdrant_edge", "numpy", "openai", "alembic", "httpx", "uvicorn")
    code = (
        "import sys; from api.cli.main import run; run(['--help']); run(['kb', 'sync', '--help']); "
        f"print(sorted(set({heavy!r}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
