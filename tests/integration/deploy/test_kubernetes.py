"""The values for Airflow's Helm chart mean what docker-compose.yml means, and the sandbox in a cluster is closed."""

from __future__ import annotations

import copy
import importlib.metadata
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from kaltura_provider.hooks.pool import pool_slots
from tests.compose import FILE, read_compose, variables

ROOT = FILE.parent
VALUES = yaml.safe_load((ROOT / "deploy" / "values.yaml").read_text())
CHART = yaml.safe_load(Path(__file__).with_name("chart.schema.yaml").read_text())


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    required = {name: "given" for name, default in variables().items() if default is None}
    return dict(read_compose(required)["services"])


def test_the_chart_has_each_value_by_its_name_and_type() -> None:
    jsonschema.Draft202012Validator.check_schema(CHART)
    jsonschema.validate(VALUES, CHART)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("executer",), "CeleryExecutor"),
        (("airflowVersion",), 3.3),
        (("workers", "celery", "terminationGracePeriod"), 60),
        (("workers", "celery", "sets"), [{"name": "transfer", "queues": "kaltura_transfer"}]),
        (("workers", "celery", "resources"), {"limits": {"memory": 3}}),
        (("postgresql", "enabled"), "false"),
        (("env",), [{"name": "KALTURA_POOL", "value": 8}]),
        (("config", "celery_broker_transport_options", "visibility_timeout"), 86400000),
    ],
)
def test_that_check_finds_mistakes(path: tuple[str, ...], value: Any) -> None:
    values = copy.deepcopy(VALUES)
    inner = values
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(values, CHART)


def test_airflow_has_each_setting(services: dict[str, Any]) -> None:
    from airflow.configuration import conf

    known = {
        (section, name) for section, content in conf.configuration_description.items() for name in content["options"]
    }
    set_here = {(section, name) for section, content in VALUES["config"].items() for name in content}
    for service in services.values():
        names = (name.split("__") for name in service.get("environment", {}) if name.startswith("AIRFLOW__"))
        set_here |= {(section.lower(), name.lower()) for _, section, name in names}
    assert set_here - known <= {
        ("celery_broker_transport_options", "visibility_timeout")
    }  # passed on to Celery's broker


def test_the_image_has_what_the_settings_name(services: dict[str, Any]) -> None:
    from airflow.sdk._shared.module_loading import import_string

    for section, name in (("core", "auth_manager"), ("secrets", "backend")):
        assert import_string(VALUES["config"][section][name])
    image = (ROOT / "deploy" / "image" / "airflow.lock").read_text()
    assert f"\napache-airflow=={VALUES['airflowVersion']} " in image
    assert "\nstatsd==" in image  # the chart turns it on
    assert VALUES["images"]["airflow"]["tag"] == importlib.metadata.version("airflow-provider-kaltura")


def test_the_pool_has_no_more_slots_than_workers_for_transfers(monkeypatch: pytest.MonkeyPatch) -> None:
    [transfer] = VALUES["workers"]["celery"]["sets"]
    monkeypatch.setenv("AIRFLOW__CORE__PARALLELISM", str(VALUES["config"]["core"]["parallelism"]))
    assert pool_slots() <= transfer["replicas"] * VALUES["config"]["celery"]["worker_concurrency"]


def test_settings_are_those_of_docker_compose(services: dict[str, Any]) -> None:
    environment = dict(services["worker"]["environment"])
    own = {item["name"]: item["value"] for item in VALUES["env"]}
    assert {name: own[name] for name in ("KALTURA_POOL", "KALTURA_QUEUE")} == {
        name: environment[name] for name in ("KALTURA_POOL", "KALTURA_QUEUE")
    }
    command = services["worker"]["command"]
    environment["AIRFLOW__CELERY__WORKER_CONCURRENCY"] = command[command.index("--concurrency") + 1]
    for section in ("celery", "celery_broker_transport_options", "scheduler", "workers"):
        for name, value in VALUES["config"][section].items():
            assert environment[f"AIRFLOW__{section.upper()}__{name.upper()}"] == str(value), name


def test_worker_groups_have_the_queues_and_graces_of_docker_compose(services: dict[str, Any]) -> None:
    celery = VALUES["workers"]["celery"]
    [transfer] = celery["sets"]
    for group, name in ((celery, "worker"), (transfer, "worker-transfer")):
        command = services[name]["command"]
        assert group["queue"] == command[command.index("--queues") + 1]
        [minutes] = re.findall(r"^(\d+)m$", services[name]["stop_grace_period"])
        assert group["terminationGracePeriodSeconds"] == 60 * int(minutes)


def test_secrets_are_named_and_not_given() -> None:
    assert not VALUES["postgresql"]["enabled"]
    assert not VALUES["redis"]["enabled"]
    assert not VALUES["createUserJob"]["enabled"]
    assert {"fernetKeySecretName", "apiSecretKeySecretName", "jwtSecretName"} <= set(VALUES)
    assert not {"fernetKey", "apiSecretKey", "jwtSecret"} & set(VALUES)
    assert not [item for item in VALUES["env"] if re.search("SECRET|PASSWORD|CONN|TOKEN", item["name"])]


def test_the_sandbox_is_closed_and_named_as_its_connections_say(services: dict[str, Any]) -> None:
    documents = list(yaml.safe_load_all((ROOT / "deploy" / "sandbox" / "kubernetes.yaml").read_text()))
    by_kind = {document["kind"]: document for document in documents}
    assert sorted(by_kind) == ["Deployment", "NetworkPolicy", "PersistentVolumeClaim", "Service"]
    pod = by_kind["Deployment"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert container["args"] == services["sandbox"]["command"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    connections = (ROOT / "deploy" / "sandbox" / "connections.json").read_text()
    for port in by_kind["Service"]["spec"]["ports"]:
        assert f"http://{by_kind['Service']['metadata']['name']}:{port['port']}" in connections
