"""The product as it was before the newest migration, to run beside the present one; the repository is only read."""

import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import pytest

from tests.peers.program import Running

ROOT = Path(__file__).parents[2]
VARIABLE = "SUPPORT_TEST_OLD_TREE"
_PARTS = ("api", "approvals", "db", "migrations", "support_agents", "pyproject.toml")


@dataclass
class OldTree:
    """A way to start the program from another folder, with the libraries of this interpreter."""

    folder: Path

    def start(
        self, words: Sequence[str], *, env: Mapping[str, str], stdin: IO[Any], out: IO[Any], err: IO[Any]
    ) -> Running:
        """Start a command."""
        command = [sys.executable, "-m", "api.cli.main", *words]
        there = {**env, "PYTHONPATH": str(self.folder)}
        return subprocess.Popen(command, env=there, cwd=self.folder, stdin=stdin, stdout=out, stderr=err)

    @property
    def newest_migration(self) -> str:
        """Its schema."""
        return newest(self.folder).name


def newest(tree: Path) -> Path:
    """The file of a tree's newest migration."""
    return max(path for path in (tree / "migrations" / "versions").glob("*.py") if re.match(r"\d{4}_", path.name))


def old_tree(into: Path) -> OldTree:
    """The folder that the variable names, else the last commit without the newest migration; skips where there is none.

    A copy without its history has no such commit: then say in the variable where an earlier version is unpacked.
    """
    given = os.environ.get(VARIABLE, "")
    if given:
        return OldTree(Path(given))
    path = newest(ROOT).relative_to(ROOT)
    added = _git("log", "-1", "--format=%H", "--diff-filter=A", "--", str(path))
    archive = _git("archive", f"{added.decode().strip()}^", "--", *_PARTS) if added.strip() else b""
    if not archive:
        pytest.skip(f"no commit before {path.name} is here: set {VARIABLE} to a folder with an earlier version")
    with tarfile.open(fileobj=BytesIO(archive)) as packed:
        packed.extractall(into, filter="data")
    return OldTree(into)


def _git(*words: str) -> bytes:
    try:
        return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, check=True).stdout  # noqa: S607
    except (OSError, subprocess.CalledProcessError):
        return b""
