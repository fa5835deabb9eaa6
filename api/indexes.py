"""In which folder a process keeps its passage index: each in its own, which whoever starts next takes again."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from api.settings import Settings
from support_agents.domain.errors import SupportError

_MOST = 64
_IN_USE = "index_in_use"

T = TypeVar("T")


def in_own_folder(settings: Settings, open_in: Callable[[Path], T]) -> tuple[T, Path]:
    """Open an index in a folder that no other process has; return it with the folder.

    Where one process does everything there is one folder, and whoever comes second is told so.
    """
    if not settings.distributed:
        folder = settings.data_dir / "index"
        return open_in(folder), folder
    for number in range(_MOST):
        folder = settings.data_dir / "indexes" / f"{number:02d}" / "index"
        try:
            return open_in(folder), folder
        except SupportError as error:
            if error.code != _IN_USE:
                raise
    message = (
        f"{_MOST} processes already keep an index in {settings.data_dir / 'indexes'}; use another SUPPORT_DATA_DIR"
    )
    raise SupportError(_IN_USE, message)
