"""The image and the compose file are valid by their own standards' tools; nothing is built here."""

import json
import re
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft201909Validator

from api.settings import Settings, load

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
SCHEMA = ROOT / "tests" / "fixtures" / "compose-spec.schema.json"


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
    return loaded


def test_the_compose_file_follows_the_compose_specification() -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert not [error.message for error in Draft201909Validator(schema).iter_errors(compose())]


def test_compose_is_one_service_with_a_volume_on_loopback() -> None:
    ((_, service),) = compose()["services"].items()
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert [volume for volume in service["volumes"] if volume.split(":")[0] in compose()["volumes"]]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]


def test_what_compose_sets_is_read_by_the_product(tmp_path: Path) -> None:
    ((_, service),) = compose()["services"].items()
    given = {name: re.sub(r"\$\{[^:}]+:-(.*)\}", r"\1", value) for name, value in service["environment"].items()}
    fields = {name.removeprefix("SUPPORT_").lower(): value for name, value in given.items()}
    assert fields.keys() <= Settings.model_fields.keys()
    load({"data_dir": tmp_path, **fields})


def test_hadolint_has_nothing_to_say() -> None:
    program = Path(sysconfig.get_path("scripts")) / "hadolint"
    ended = subprocess.run([program, DOCKER / "Dockerfile"], capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_image_runs_without_rights_of_its_own() -> None:
    lines = (DOCKER / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if re.match(r"USER \d+$", line)]
    assert not [
        line for line in lines if "--privileged" in line or re.match(r"(ARG|ENV) .*(SECRET|TOKEN|PASSWORD)", line)
    ]
    assert not list(DOCKER.rglob("__init__.py"))
