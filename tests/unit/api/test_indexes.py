"""Which folder a process keeps its index in: one for all, or each its own."""

import os
from pathlib import Path

import pytest

from api import settings
from api.indexes import in_own_folder
from support_agents.domain.errors import SupportError


class Open:
    """Opens a folder once, as the engine does."""

    taken: set[Path]

    def __init__(self) -> None:
        self.taken = set()

    def __call__(self, folder: Path) -> str:
        if folder in self.taken:
            raise SupportError("index_in_use", "taken", retryable=True)
        self.taken.add(folder)
        return os.fspath(folder)


def shared(data: Path) -> settings.Settings:
    return settings.load(
        {
            "data_dir": data,
            "broker_url": "redis://127.0.0.1/0",
            "database_url": "postgresql+psycopg://u@127.0.0.1/support",
            "secret_key": "k" * 32,
        }
    )


def test_one_process_has_one_folder_and_a_second_is_refused(tmp_path: Path) -> None:
    found, open_in = settings.load({"data_dir": tmp_path}), Open()
    assert in_own_folder(found, open_in)[1] == tmp_path / "index"
    with pytest.raises(SupportError, match="taken"):
        in_own_folder(found, open_in)


def test_of_many_each_has_its_own_and_a_free_one_is_taken_again(tmp_path: Path) -> None:
    open_in = Open()
    folders = [in_own_folder(shared(tmp_path), open_in)[1] for _ in range(3)]
    assert folders == [tmp_path / "indexes" / f"0{number}" / "index" for number in range(3)]
    open_in.taken.discard(folders[1])
    assert in_own_folder(shared(tmp_path), open_in)[1] == folders[1]


def test_a_damaged_index_is_not_passed_over(tmp_path: Path) -> None:
    def broken(_folder: Path) -> str:
        raise SupportError("disk_full", "no space")

    with pytest.raises(SupportError, match="no space"):
        in_own_folder(shared(tmp_path), broken)
