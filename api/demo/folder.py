"""The demo's data folder: fresh, and gone afterwards unless it was asked for; it looks into no other folder."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support_agents.domain.errors import SupportError


@contextmanager
def fresh_folder(given: Path | None) -> Iterator[Path]:
    """Give out an empty folder: the given one, which stays, or a temporary one, which goes."""
    if given is None:
        with tempfile.TemporaryDirectory(prefix="support-agents-demo-") as made:
            yield Path(made)
        return
    if given.exists() and (not given.is_dir() or any(given.iterdir())):
        raise SupportError("demo_folder", f"{given} is not an empty folder; give --data a fresh one")
    given.mkdir(mode=0o700, parents=True, exist_ok=True)
    yield given.resolve()
