"""The values for Airflow's Helm chart mean what docker-compose.yml means, and the sandbox in a cluster is closed."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.compose import FILE, read_compose, variables

ROOT = FILE.parent
VALUES = yaml.safe_load((ROOT / "deploy" / "values.yaml").read_text())


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    required = {name: "given" for name, default in variables().items() if default is None}
    return dict(read_compose(required)["services"])


def test_settings_are_those_of_docker_compose(services: dict[str, Any]) -> None:
    environment = services["worker"]["environment"]
    own = {item["name"]: item["value"] for item in VALUES["env"]}
    assert {name: own[name] for name in ("KALTURA_POOL", "KALTURA_QUEUE")} == {
        name: environment[name] for name in ("KALTURA_POOL", "KALTURA_QUEUE")
    }
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
