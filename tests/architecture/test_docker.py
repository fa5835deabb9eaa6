"""The image and the compose file are valid by their own standards' tools; nothing is built here."""

import json
import re
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from jsonschema import Draft201909Validator

from api.settings import Settings, load
from api.telemetry.instruments import Instruments

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
KUBERNETES = DOCKER / "kubernetes"
WATCHED = {
    *("support_http_requests_total", "support_stage_seconds", "support_runs_total", "support_queue_age_seconds"),
    *("support_outbox_lag_seconds", "support_approvals_pending", "support_executions", "support_model_calls_total"),
    *("support_execution_steps_total", "support_model_cost_usd_total"),
}
SCHEMA = ROOT / "tests" / "fixtures" / "compose-spec.schema.json"


ROLES = ("api", "worker", "relay", "scheduler")
COMPOSE = ("compose.yaml", "compose.distributed.yaml")


def loaded(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def compose() -> dict[str, Any]:
    return loaded(DOCKER / "compose.yaml")


def distributed() -> dict[str, Any]:
    return loaded(DOCKER / "compose.distributed.yaml")


@pytest.mark.parametrize("name", COMPOSE)
def test_the_compose_files_follow_the_compose_specification(name: str) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert not [error.message for error in Draft201909Validator(schema).iter_errors(loaded(DOCKER / name))]


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


def test_the_distributed_file_starts_each_process_by_its_command_and_the_migrations_before_them() -> None:
    services = distributed()["services"]
    ours = {name: service for name, service in services.items() if service["image"] == "support-agents"}
    assert {name: service["command"] for name, service in ours.items()} == {
        **{role: [role] for role in ROLES},
        "migrations": ["db", "upgrade"],
    }
    assert {name: service["deploy"]["replicas"] for name, service in ours.items() if "deploy" in service} == {
        "api": 2,
        "worker": 2,
    }
    for role in ROLES:
        assert ours[role]["depends_on"]["migrations"] == {"condition": "service_completed_successfully"}
    for service in ours.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]


def test_no_port_of_the_distributed_file_is_open_to_other_machines() -> None:
    ports = [port for service in distributed()["services"].values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_what_the_distributed_file_sets_are_settings() -> None:
    given = {name for service in distributed()["services"].values() for name in service.get("environment", ())}
    mine = {name.removeprefix("SUPPORT_").lower() for name in given if name.startswith("SUPPORT_")}
    assert mine <= Settings.model_fields.keys()


def manifests() -> list[dict[str, Any]]:
    listed = loaded(KUBERNETES / "kustomization.yaml")["resources"]
    assert sorted([*listed, "kustomization.yaml"]) == sorted(path.name for path in KUBERNETES.iterdir())
    return [each for name in listed for each in yaml.safe_load_all((KUBERNETES / name).read_text(encoding="utf-8"))]


def test_the_manifests_are_what_kubernetes_takes() -> None:
    for each in manifests():
        kubernetes_validate.validate(each, kubernetes_validate.latest_version(), strict=True)


def test_every_pod_is_locked_down_and_each_process_is_there() -> None:
    pods = {
        each["metadata"]["name"]: each["spec"]["template"]["spec"]
        for each in manifests()
        if "template" in each.get("spec", {})
    }
    commands = {name: pod["containers"][0]["args"] for name, pod in pods.items()}
    assert commands == {**{role: [role] for role in ROLES}, "migrations": ["db", "upgrade"]}
    for pod in pods.values():
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_the_manifests_hold_settings_and_no_secret() -> None:
    (given,) = [each["data"] for each in manifests() if each["kind"] == "ConfigMap"]
    fields = {name.removeprefix("SUPPORT_").lower() for name in given}
    assert fields <= Settings.model_fields.keys()
    secret = {name for name, info in Settings.model_fields.items() if "Secret" in str(info.annotation)}
    assert not fields & secret
    assert not [each for each in manifests() if each["kind"] == "Secret"]


def test_the_workers_scale_on_a_metric_that_there_is() -> None:
    (scaler,) = [each for each in manifests() if each["kind"] == "HorizontalPodAutoscaler"]
    assert scaler["spec"]["scaleTargetRef"]["name"] == "worker"
    assert scaler["spec"]["metrics"][0]["external"]["metric"]["name"] in metric_names()


def metric_names() -> set[str]:
    families = Instruments().registry.collect()
    return {
        name
        for family in families
        for name in (
            {f"{family.name}_total"}
            if family.type == "counter"
            else {f"{family.name}_bucket", f"{family.name}_sum", f"{family.name}_count"}
            if family.type == "histogram"
            else {family.name}
        )
    }


def test_every_panel_and_every_alert_asks_for_metrics_that_there_are() -> None:
    panels = json.loads((DOCKER / "grafana" / "support-agents.json").read_text(encoding="utf-8"))["panels"]
    asked = [target["expr"] for panel in panels for target in panel["targets"]]
    rules = [
        rule["expr"] for group in loaded(DOCKER / "prometheus" / "alerts.yaml")["groups"] for rule in group["rules"]
    ]
    known = metric_names()
    for expression in (*asked, *rules):
        named = set(re.findall(r"\bsupport_\w+", expression))
        assert named, expression
        assert named <= known, expression
    assert {name.rsplit("_bucket")[0] for each in asked for name in re.findall(r"\bsupport_\w+", each)} >= WATCHED
