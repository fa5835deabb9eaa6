"""The house's measures: small modules and functions, a sentence on top of each, and a few things never written."""

import ast
import math
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("support_agents", "db", "approvals", "api", "migrations")
FILES = tuple(sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")))
MODULES = tuple(path for path in FILES if path.name != "__init__.py")
# A migration's `upgrade` is a list of tables in their order; cutting it up would hide what it is.
VERSIONS = ROOT / "migrations" / "versions"
LONGEST_MODULE, LONGEST_FUNCTION, P90_FUNCTION, MEDIAN_FUNCTION = 400, 60, 30, 10
FORBIDDEN_NAMES = frozenset(("utils", "util", "helpers", "helper", "common", "misc", "manager", "service", "services"))
FORBIDDEN_CALLS = frozenset(("eval", "exec", "__import__"))
FORBIDDEN_MODULES = frozenset(("pickle", "shelve", "marshal", "dill", "joblib"))
Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[Function]:
    return (node for node in ast.walk(parsed(path)) if isinstance(node, Function))


def length(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_modules_are_at_most_400_lines() -> None:
    lines = {named(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert not {name: count for name, count in lines.items() if count > LONGEST_MODULE}


def test_functions_are_short() -> None:
    lengths = [length(function) for path in MODULES if path.parent != VERSIONS for function in functions(path)]
    lengths.sort()
    assert lengths[math.ceil(0.9 * len(lengths)) - 1] <= P90_FUNCTION
    assert median(lengths) <= MEDIAN_FUNCTION


def test_no_function_is_over_60_lines() -> None:
    long = {
        f"{named(path)}:{function.lineno} {function.name}": length(function)
        for path in MODULES
        if path.parent != VERSIONS
        for function in functions(path)
        if length(function) > LONGEST_FUNCTION
    }
    assert not long


def test_every_init_is_empty() -> None:
    assert not [named(path) for path in FILES if path.name == "__init__.py" and path.read_bytes()]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_opens_with_one_sentence(package: str) -> None:
    wrong = []
    for path in MODULES:
        if path.is_relative_to(ROOT / package):
            told = ast.get_docstring(parsed(path)) or ""
            first = told.split("\n\n")[0]
            if not first or "\n" in first or not first.endswith((".", "?")):
                wrong.append(named(path))
    assert not wrong


def test_names_say_what_things_are() -> None:
    parts = {named(path): {*path.relative_to(ROOT).with_suffix("").parts} for path in FILES}
    assert not {name for name, words in parts.items() if words & FORBIDDEN_NAMES}


def test_only_settings_reads_the_environment() -> None:
    reading = []
    for path in MODULES:
        attributes = {node.attr for node in ast.walk(parsed(path)) if isinstance(node, ast.Attribute)}
        if attributes & {"environ", "environb", "getenv", "getenvb"}:
            reading.append(named(path))
        if imported(path) & {"os.environ", "os.environb", "os.getenv", "pydantic_settings.BaseSettings"}:
            reading.append(named(path))
    # A demo's settings are these settings with the environment shut out.
    assert set(reading) <= {"api/settings.py", "api/demo/settings.py"}


def test_nothing_is_imported_for_types_alone() -> None:
    assert not [named(path) for path in MODULES if "TYPE_CHECKING" in path.read_text(encoding="utf-8")]


def test_nothing_runs_what_it_reads() -> None:
    found = []
    for path in MODULES:
        roots = {name.split(".")[0] for name in imported(path)}
        found += [f"{named(path)} imports {name}" for name in roots & FORBIDDEN_MODULES]
        nodes = tuple(ast.walk(parsed(path)))
        bases = {node.name: {*map(ast.unparse, node.bases)} for node in nodes if isinstance(node, ast.ClassDef)}
        safe = {
            "yaml.CSafeLoader",
            *(name for name, its in bases.items() if its in ({"yaml.SafeLoader"}, {"yaml.CSafeLoader"})),
        }
        for node in nodes:
            if isinstance(node, ast.Call):
                found += [f"{named(path)}:{node.lineno} {why}" for why in _dangers(node, safe)]
    assert not found


def _dangers(call: ast.Call, safe: Collection[str]) -> Iterator[str]:
    if isinstance(call.func, ast.Name) and call.func.id in FORBIDDEN_CALLS:
        yield call.func.id
    if isinstance(call.func, ast.Attribute) and call.func.attr in {"system", "popen"}:
        yield call.func.attr
    for keyword in call.keywords:
        given = keyword.value
        is_false = isinstance(given, ast.Constant) and given.value is False
        if keyword.arg == "shell" and not is_false:
            yield "shell"
        if keyword.arg == "allow_pickle" and not is_false:
            yield "allow_pickle"
    loads_safely = any(ast.unparse(keyword.value) in safe for keyword in call.keywords)
    if ast.unparse(call.func) in {"yaml.load", "yaml.unsafe_load", "yaml.full_load"} and not loads_safely:
        yield "a loader that makes objects"


def test_broad_excepts_say_why() -> None:
    silent = []
    for path in MODULES:
        lines = path.read_text(encoding="utf-8").splitlines()
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ExceptHandler) and _is_broad(node) and not _raises_again(node):
                silent += [f"{named(path)}:{node.lineno}"] if "#" not in lines[node.lineno - 1] else []
    assert not silent


def _raises_again(handler: ast.ExceptHandler) -> bool:
    return any(isinstance(node, ast.Raise) and node.exc is None for node in ast.walk(handler))


def _is_broad(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or (
        isinstance(handler.type, ast.Name) and handler.type.id in {"Exception", "BaseException"}
    )
