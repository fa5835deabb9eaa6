"""The table of pains in the documentation and the tests of this folder tell of one another."""

import ast
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PAGE = ROOT / "docs" / "safety.md"


def told() -> set[str]:
    """Everything between backticks in the second column of the table of pains."""
    table = PAGE.read_text(encoding="utf-8").partition("## The pains")[2].partition("\n## ")[0]
    rows = [line.split("|")[2] for line in table.splitlines() if line.startswith("|")][2:]
    return {name for row in rows for name in row.split("`")[1::2]}


def defined() -> dict[str, set[str]]:
    """The tests of each file of this folder."""
    return {path.name: set(_tests(path)) for path in HERE.glob("test_*.py") if path != Path(__file__)}


def _tests(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node.name


def test_every_pain_has_its_test() -> None:
    names = {name for name in told() if "/" not in name}
    assert names - set().union(*defined().values()) == set()
    assert [name for name in told() if "/" in name and not (ROOT / name).is_file()] == []


def test_every_test_beside_one_that_is_told_is_told_too() -> None:
    names = told()
    files = {file: tests for file, tests in defined().items() if tests & names}
    assert {file: tests - names for file, tests in files.items() if tests - names} == {}
