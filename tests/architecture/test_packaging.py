"""What is installed is whole: a hashed lock without hosts, and a wheel that carries every file the product reads."""

import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("support_agents", "db", "approvals", "api", "migrations")
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
NEEDED = (
    "api/console/templates/base.html",
    "api/console/static/console.css",
    "api/console/static/phone.css",
    "api/console/static/vendor/",
    "api/demo/shop/articles/",
    "api/demo/shop/messages.jsonl",
    "api/demo/shop/orders.csv",
    "api/demo/shop/policy.yaml",
    "api/demo/shop/vectors.npz",
    "migrations/alembic.ini",
    "migrations/versions/0001_people.py",
    "support_agents/adapters/minilm_tokenizer.json",
    "support_agents/intents/shipped/head.npz",
    "support_agents/intents/shipped/manifest.json",
    "support_agents/prompts/drafting.md",
    "support_agents/screening/injection_rules.yaml",
    "support_agents/screening/injection_head.npz",
    "support_agents/screening/people.yaml",
    "support_agents/wording/phrases/en.yaml",
)


def requirements() -> Iterator[str]:
    """Every logical line of the lock."""
    return (line.strip() for line in LOCK.replace("\\\n", " ").splitlines() if line.strip())


def test_the_lock_names_no_host() -> None:
    assert "://" not in LOCK
    assert not re.search(r"(?m)^\s*(-i|-f|--index-url|--extra-index-url|--find-links|--trusted-host|-e)\b", LOCK)
    assert not re.search(r" @ |\bgit\+|\bfile:", LOCK)


def test_everything_locked_has_a_version_and_a_hash() -> None:
    for line in requirements():
        assert re.match(r"^[a-z0-9][a-z0-9._-]*(\[[a-z0-9,_-]+\])?==[^ ;]+", line), line
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", line), line


# Some 400 MB that no image of ours carries; who wants it installs it beside.
UNLOCKED = {"presidio"}


def test_the_lock_holds_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *(each for name, extra in project["optional-dependencies"].items() for each in extra if name not in UNLOCKED),
    ]
    locked = {re.split(r"[=\[]", line)[0] for line in requirements()}
    names = {re.split(r"[\[<>=!~; ]", each)[0].lower().replace("_", "-") for each in wanted}
    assert names <= locked


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without network and without leaving anything beside the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in (*PACKAGES, "pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        (source / name).symlink_to(ROOT / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    ended = subprocess.run(
        [*command, "--wheel-dir", str(folder), str(source)], capture_output=True, text=True, check=False, timeout=300
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_carries_every_file_that_is_read(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for needed in NEEDED:
        assert any(name == needed or (needed.endswith("/") and name.startswith(needed)) for name in names), needed


def test_the_wheel_carries_all_sources_and_no_tests(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    ours = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    readmes = {name for name in ours if name.endswith("README.md")}
    assert ours - readmes <= names, sorted(ours - readmes - names)[:20]
    assert not {name for name in names if name.startswith(("tests/", "docker/", "docs/"))}
    licences = {Path(name).name for name in names if ".dist-info/licenses/" in name}
    assert licences >= {"LICENSE", "NOTICE"}


def test_an_installed_wheel_runs_from_anywhere(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    code = f"""
import sys
sys.path.insert(0, {str(tmp_path / "site")!r})
import api.bootstrap, api.demo.shop, db.upgrade, migrations
assert api.bootstrap.__file__.startswith({str(tmp_path)!r}), api.bootstrap.__file__
db.upgrade.upgrade("sqlite+aiosqlite:///" + {str(tmp_path / "made.db")!r})
assert len(api.demo.shop.messages()) == 24
"""
    ended = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 0, ended.stderr
