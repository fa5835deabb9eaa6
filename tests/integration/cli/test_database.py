"""`support-agents db`: it says what is missing and changes nothing until it is told to."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli.database import app
from db.upgrade import missing


def test_the_check_lists_what_is_missing_and_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data"
    url = f"sqlite+aiosqlite:///{data / 'support.db'}"
    monkeypatch.setenv("SUPPORT_DATA_DIR", str(data))
    none = CliRunner().invoke(app, ["upgrade", "--check"])
    assert (none.exit_code, none.stdout) == (1, "there is no database yet; run `support-agents db upgrade`\n")
    assert not data.exists()

    data.mkdir()
    (data / "support.db").touch()
    behind = CliRunner().invoke(app, ["upgrade", "--check"])
    listed = [line.split()[1] for line in behind.stdout.splitlines() if line.startswith("missing: ")]
    assert (behind.exit_code, listed) == (1, [each.revision for each in missing(url)])
    assert listed[0] == "0001"
    assert (data / "support.db").stat().st_size == 0

    assert CliRunner().invoke(app, ["upgrade"]).exit_code == 0
    done = CliRunner().invoke(app, ["upgrade", "--check"])
    assert (done.exit_code, done.stdout) == (0, "the database is at the newest schema\n")
