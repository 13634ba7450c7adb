"""Airflow on Celery, as docker-compose.yml has it, keeps the promise while its parts are killed.

A feed over several windows is backfilled with workers of their own for transfers. Meanwhile a worker is stopped,
another is killed in the middle of an upload, the broker is restarted, and the database is killed.
"""

from __future__ import annotations

import hashlib
import json
import random
import shlex
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests

from kaltura_provider.ingest.identity import item_id
from kaltura_provider.ingest.marks import item_mark
from kaltura_sandbox import Control
from tests.integration.celery.containers import ROOT, Containers, wait_for

BUCKET = "media"
DAG = "kaltura_feed_archive"
HOURS = tuple(f"2024-03-01T0{hour}:00:00Z" for hour in range(4))
FEED = """\
name: archive
schedule: "@hourly"
start_date: 2024-03-01
end_date: 2024-03-01
source:
  uri: s3://media/{{ data_interval_start | ds }}/{{ data_interval_start.hour }}/
batch_size: 2
retries: 20
upload: {bandwidth: 600000}
"""
# What a deployment waits for in minutes passes in seconds here.
IMPATIENCE = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "3",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "3",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "30",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "5",
    "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "3",
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
}
VARIABLES = {
    "POSTGRES_PASSWORD": "pa55word",
    "VALKEY_PASSWORD": "pa55w0rd",
    "FERNET_KEY": "c2VjcmV0LWtleS1vZi10aGUtdGVzdC0zMi1ieXRlcyE=",
    "API_SECRET_KEY": "a" * 64,
    "JWT_SECRET": "b" * 64,
    "FLOWER_PASSWORD": "unused",
    "AIRFLOW_USERS": "operator:admin",
    "WORKER_CONCURRENCY": "3",
    "TRANSFER_CONCURRENCY": "2",
    "KALTURA_POOL_SLOTS": "4",
    "TASK_HEARTBEAT_TIMEOUT": "25",
    "TASK_QUEUED_TIMEOUT": "40",
}
VOLUMES = {"airflow.cfg", "auth", "broker", "dags", "database", "feeds", "logs", "run", "sandbox", "tmp"}
# In the order in which the Compose file starts them.
PARTS = ("api-server", "scheduler", "dag-processor", "triggerer", "worker", "worker-transfer")


class Cluster(Containers):
    """The containers, with what a user sees of them."""

    _token = ""

    @property
    def page(self) -> str:
        return f"http://127.0.0.1:{self.ports['api-server:8080']}"

    @property
    def control(self) -> Control:
        return Control(f"http://127.0.0.1:{self.ports['sandbox:8765']}")

    def request(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        if not self._token:
            passwords = json.loads((self.home / "auth" / "passwords.json").read_text())
            body = {"username": "operator", "password": passwords["operator"]}
            reply = requests.post(f"{self.page}/auth/token", json=body, timeout=30)
            reply.raise_for_status()
            self._token = reply.json()["access_token"]
        headers = {"Authorization": f"Bearer {self._token}"}
        reply = requests.request(method, f"{self.page}/api/v2/{path}", headers=headers, timeout=30, **arguments)
        reply.raise_for_status()
        return dict(reply.json()) if reply.content else {}

    def runs_by_state(self) -> dict[str, int]:
        runs = self.request("GET", f"dags/{DAG}/dagRuns?limit=100")["dag_runs"]
        return {state: sum(run["state"] == state for run in runs) for state in {run["state"] for run in runs}}

    def task_instances(self) -> list[dict[str, Any]]:
        return list(self.request("GET", f"dags/{DAG}/dagRuns/~/taskInstances?limit=500")["task_instances"])

    def partial_uploads(self) -> set[str]:
        return {token["id"] for token in self.control.tokens() if token["status"] == 1 and token["uploadedFileSize"]}

    def works(self, name: str) -> bool:
        """Return whether a worker executes a task: its supervisor runs Celery, whose pool runs the task's process."""
        first, *others = self.tree(name) or [None]
        return any(first in process.parents()[2:] for process in others)

    def logs(self) -> str:
        return "\n".join(f"== {path.name}\n{path.read_text()[-1500:]}" for path in sorted(self.home.glob("run/*.log")))


def sources(cluster: Cluster) -> dict[str, str]:
    """Put media into S3 and return the SHA-256 of each by its URI."""
    lines = [
        shlex.split(line.removeprefix("export ")) for line in (cluster.home / "sandbox/env").read_text().splitlines()
    ]
    env = dict(line[0].split("=", 1) for line in lines if line and "=" in line[0])
    s3 = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{cluster.ports['sandbox:8333']}",
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
        region_name="us-east-1",
    )
    s3.create_bucket(Bucket=BUCKET)
    digests = {}
    for hour in range(len(HOURS)):
        for number in range(4):
            # A picture by its first bytes, so nothing is converted.
            content = b"\x89PNG\r\n\x1a\n" + random.randbytes(2_500_000 + 100_000 * number)
            key = f"2024-03-01/{hour}/{number}.png"
            s3.put_object(Bucket=BUCKET, Key=key, Body=content)
            digests[f"s3://{BUCKET}/{key}"] = hashlib.sha256(content).hexdigest()
    return digests


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    home = tmp_path / "airflow"
    (home / "feeds").mkdir(parents=True)
    (home / "auth").mkdir()
    (home / "dags").mkdir()
    (home / "feeds" / "archive.yaml").write_text(FEED)
    (home / "dags" / "kaltura_feeds.py").write_bytes(Path(__file__).with_name("dags.py").read_bytes())
    (home / "sandbox").mkdir()
    settings = {
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(home / "plugins"),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "KALTURA_FEEDS_FOLDER": str(home / "feeds"),
        **IMPATIENCE,
    }
    made = Cluster(home, VARIABLES, settings)
    settings["AIRFLOW__API__PORT"] = str(made.ports["api-server:8080"])
    settings["AIRFLOW__API__BASE_URL"] = made.page
    try:
        yield made
    finally:
        print(made.logs())  # pytest shows it if the test has failed
        made.close()


def start(cluster: Cluster) -> None:
    for service in ("sandbox", "postgres", "valkey"):
        cluster.start(service)
    wait_for(cluster.database.answers, 120, "PostgreSQL answers")
    cluster.create_database()
    cluster.run_once("migrate", 240)
    for service in PARTS:
        cluster.start(service)
    cluster.start("worker-transfer", 2)
    # These wait for nothing but the database.
    connections = (ROOT / "deploy/sandbox/connections.json").read_text()
    for server, port in cluster.ports.items():
        connections = connections.replace(server, f"127.0.0.1:{port}")
    (cluster.home / "sandbox" / "connections.json").write_text(connections)
    cluster.run_once("sandbox-connections", 240)
    cluster.run_once("pool", 240)


def backfill(cluster: Cluster) -> None:
    wait_for(lambda: cluster.request("GET", f"dags/{DAG}"), 240, f"{DAG} is there")
    cluster.request("PATCH", f"dags/{DAG}", json={"is_paused": False})
    body = {"dag_id": DAG, "from_date": HOURS[0], "to_date": HOURS[-1], "max_active_runs": len(HOURS)}
    wait_for(lambda: cluster.request("POST", "backfills", json=body), 120, "the backfill is accepted")


@pytest.mark.timeout(580)  # less than faulthandler_timeout; it takes two minutes on a machine of its own
def test_every_item_is_ingested_once_while_parts_of_the_cluster_die(cluster: Cluster) -> None:
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began:5.0f} s  {text}", flush=True)

    start(cluster)
    digests = sources(cluster)
    say("started")
    backfill(cluster)
    say("backfill accepted")

    wait_for(lambda: cluster.partial_uploads() and cluster.works("worker-transfer-2"), 240, "the second worker uploads")
    cluster.stop("worker-transfer-2")
    cluster.processes.finish("worker-transfer-2", 240)  # an error if it ended with another code than 0
    assert not [task for task in cluster.task_instances() if task["try_number"] > 1], "the drain failed a task"
    say("worker drained")

    wait_for(lambda: cluster.partial_uploads() and cluster.works("worker-transfer-1"), 240, "the first worker uploads")
    cluster.kill("worker-transfer-1")
    say("worker killed in the middle of an upload")
    cluster.kill("valkey-1", hold=1)
    say("broker killed")
    cluster.kill("postgres-1", hold=12, first_only=True)
    say("database killed")
    wait_for(cluster.database.answers, 120, "PostgreSQL answers again")
    say("database back")

    wait_for(lambda: cluster.runs_by_state() == {"success": len(HOURS)}, 400, lambda: str(cluster.task_instances()))
    say("all runs succeeded")
    assert {task["state"] for task in cluster.task_instances()} == {"success"}
    held: dict[str, list[str]] = {}
    for entry in cluster.control.entries():
        content = (cluster.control.entry(entry["id"]).get("content") or {}).get("sha256")
        for uri in digests:
            if item_mark(item_id(uri)) in str(entry.get("adminTags")).split(","):
                held.setdefault(uri, []).append(f"status {entry['status']}: {content}")
    assert held == {uri: [f"status 2: {digest}"] for uri, digest in digests.items()}
    assert len(cluster.control.entries()) == len(digests)
    for part in PARTS:
        wait_for(lambda name=f"{part}-1": cluster.is_healthy(name), 180, f"{part} is healthy")
    # The containers' file systems are read-only: what is written has to be in a volume or below /tmp.
    assert {path.name for path in cluster.home.iterdir()} <= VOLUMES
    assert (cluster.home / "airflow.cfg").read_text() == ""
    say(f"starts: { {name: one.starts for name, one in cluster.containers.items()} }")
