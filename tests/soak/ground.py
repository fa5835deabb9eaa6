"""Where work runs: a prepared database of each kind, copied for every piece of work and thrown away after it."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from tests.fixtures.database import POSTGRES, _administer, _url
from tests.soak import child
from tests.soak.clock import use_movable


@dataclass(frozen=True)
class Ground:
    """One kind of database and one way to prepare it; `scratch` is best in memory, for nothing in it has to last."""

    kind: str
    scratch: Path
    prepare: Callable[[str, Path], int]

    def url(self, of: str, folder: Path) -> str:
        """The database of the template, or of one piece of work."""
        return f"sqlite+aiosqlite:///{folder}/support.db" if self.kind == "sqlite" else _url(self._name(of))

    def furnish(self) -> None:
        """Make the template, anew."""
        self.clear("template")
        folder = self._folder("template")
        folder.mkdir(parents=True)
        if self.kind == "postgres":
            _administer(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self._name("template"))))
        process = self.prepare(self.url("template", folder), folder)
        while (code := child.ended(process)) is None:
            time.sleep(0.05)
        if code:
            raise RuntimeError((folder / "log").read_text())

    def lay(self, of: str) -> Path:
        """Copy the template for a piece of work; returns its folder."""
        self.clear(of)
        folder = Path(shutil.copytree(self._folder("template"), self._folder(of)))
        (folder / "log").unlink()
        if self.kind == "postgres":
            copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            _administer(copy.format(sql.Identifier(self._name(of)), sql.Identifier(self._name("template"))))
            use_movable(self.url(of, folder))
        return folder

    def clear(self, of: str) -> None:
        """Throw a piece of work away, or the template."""
        shutil.rmtree(self._folder(of), ignore_errors=True)
        if self.kind == "postgres":
            _administer(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(self._name(of))))

    def _folder(self, of: str) -> Path:
        return self.scratch / f"{self.prepare.__name__}-{self.kind}-{of}"

    def _name(self, of: str) -> str:
        return f"{self.scratch.name}_{self.prepare.__name__}_{of}".lower().replace("-", "_")


def kinds() -> tuple[str, ...]:
    """The databases that can be had."""
    if not POSTGRES:
        return ("sqlite",)
    psycopg.connect(POSTGRES.replace("+psycopg", ""), connect_timeout=5).close()
    return ("sqlite", "postgres")
