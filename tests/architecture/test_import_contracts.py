"""The import contracts of pyproject hold, and nothing in them is excused."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[2]
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
CONTRACTS: list[dict[str, Any]] = CONFIG["contracts"]
# What must be among the contracts, whatever else is: losing one of these loses an invariant.
ESSENTIAL = {
    "privilege": "layers",
    "thinking": "layers",
    "agents-independent": "independence",
    "agents-no-adapters": "forbidden",
    "db-sees": "forbidden",
    "approvals-sees": "forbidden",
    "sqlalchemy": "protected",
    "adapters-bootstrap": "protected",
    "slack-adapter": "protected",
    "acyclic": "acyclic_siblings",
}
VENDORS = {"sqlalchemy", "openai", "anthropic", "qdrant_edge", "qdrant_client", "onnxruntime", "pyod", "slack_sdk"}


def test_every_contract_is_kept(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0, capsys.readouterr().out


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: str(contract["id"]))
def test_no_contract_excuses_an_import(contract: dict[str, Any]) -> None:
    assert not {"ignore_imports", "unmatched_ignore_imports_alerting"} & contract.keys()


def test_the_essential_contracts_are_there() -> None:
    kinds = {contract["id"]: contract["type"] for contract in CONTRACTS}
    assert ESSENTIAL.items() <= kinds.items()


def test_every_package_is_linted() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert set(CONFIG["root_packages"]) == packages
    assert CONFIG["include_external_packages"] is True
    (privilege,) = (contract for contract in CONTRACTS if contract["id"] == "privilege")
    assert privilege["layers"] == ["api", "approvals", "db", "support_agents"]


def test_no_new_module_of_thinking_is_forgotten() -> None:
    (thinking,) = (contract for contract in CONTRACTS if contract["id"] == "thinking")
    assert thinking["exhaustive"] is True


def test_each_vendor_has_one_door() -> None:
    doors = {c["protected_modules"][0]: c["allowed_importers"] for c in CONTRACTS if c["type"] == "protected"}
    assert doors.keys() >= VENDORS
    for vendor in VENDORS - {"sqlalchemy"}:
        door, *rooms = doors[vendor]
        assert all(room.startswith(f"{door}_") for room in rooms), vendor
