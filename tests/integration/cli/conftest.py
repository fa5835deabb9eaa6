"""The command line on an empty folder of the test's own."""

from pathlib import Path

import pytest

from tests.fixtures.command_line import CommandLine
from tests.fixtures.installation import local_installation
from tests.peers.program import COLD

__all__ = ["local_installation"]


@pytest.fixture(name="run")
def command_line(tmp_path: Path) -> CommandLine:
    """Commands of a program whose imports are done."""
    return CommandLine(tmp_path / "data")


@pytest.fixture
def run_cold(tmp_path: Path) -> CommandLine:
    """Commands from an interpreter each, where what is loaded matters, or that there is a program at all."""
    return CommandLine(tmp_path / "data", COLD)
