"""What the README says of settings and tests is what there is."""

import re
from pathlib import Path

import pytest

from api.settings_table import page, table

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_page_of_settings_is_the_settings_own() -> None:
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == page()


def test_every_setting_that_the_readme_names_is_one() -> None:
    named = set(re.findall(r"SUPPORT_[A-Z_]+", README)) - {"SUPPORT_TEST_POSTGRES_URL"}
    assert named
    assert named <= {row.variable for row in table()}


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:tests|docs|docker|api)/[\w./*-]+)`", README))))
def test_every_file_that_the_readme_names_is_there(path: str) -> None:
    assert list(ROOT.glob(path.rstrip("/")))


def test_every_guarantee_has_a_test_that_exists() -> None:
    guarantees = [line for line in README.splitlines() if re.match(r"\| I\d \|", line)]
    assert [line[2:4] for line in guarantees] == [f"I{number}" for number in range(1, 10)]
    for line in guarantees:
        named = re.findall(r"`(tests/[\w./*-]+)`", line)
        assert named, line
        assert all(list(ROOT.glob(path.rstrip("/"))) for path in named), line
