"""The installation's secret: made once, for its owner's eyes, and never shown."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import structlog

from api.secret_key import FILE, SecretKey, make_data_dir, secret_key
from api.settings import load
from support_agents.domain.errors import SupportError


def test_folder_and_file_belong_to_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    make_data_dir(folder)
    secret_key(load({"data_dir": folder}))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / FILE).stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [FILE]


def test_it_is_made_once_whoever_asks_at_the_same_time(tmp_path: Path) -> None:
    settings = load({"data_dir": tmp_path})
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(lambda _: secret_key(settings), range(32)))
    assert keys == {secret_key(settings)}


def test_a_given_key_wins_and_a_short_one_is_refused(tmp_path: Path) -> None:
    assert secret_key(load({"data_dir": tmp_path, "secret_key": "x" * 32})) == SecretKey(b"x" * 32)
    with pytest.raises(SupportError, match="32"):
        secret_key(load({"data_dir": tmp_path, "secret_key": "short"}))


def test_purposes_do_not_share_a_key() -> None:
    key = SecretKey(b"k" * 40)
    assert key.derived("audit") != key.derived("anchor")
    assert "kkkk" not in repr(key)


def test_a_folder_that_cannot_be_made_says_which_setting_to_change(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SupportError, match="SUPPORT_DATA_DIR"):
        make_data_dir(tmp_path / "file" / "data")


def test_a_folder_of_ours_that_others_may_read_is_closed_and_that_is_logged(tmp_path: Path) -> None:
    structlog.reset_defaults()  # a command that ran in this process may have set another level
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o755)
    with structlog.testing.capture_logs() as lines:
        make_data_dir(folder)
        make_data_dir(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [(line["event"], "0755" in line["reason"]) for line in lines] == [("data_dir_closed_to_others", True)]


@pytest.mark.parametrize(("mode", "owner_is_us"), [(0o755, False), (0o770, False), (0o1777, True)])
def test_an_open_folder_of_someone_else_or_of_all_is_refused_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, *, owner_is_us: bool
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(mode)
    if not owner_is_us:
        someone = os.geteuid() + 1
        monkeypatch.setattr(os, "geteuid", lambda: someone)
    with pytest.raises(SupportError, match="SUPPORT_DATA_DIR"):
        make_data_dir(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == mode
