"""Airflow on Celery, as docker-compose.yml has it, keeps its promises: exactly once, and no secret anywhere.

A feed over several windows is backfilled with workers of their own for transfers. Meanwhile a worker is stopped,
another is killed in the middle of an upload, the broker is restarted, and the database is killed. Then the trigger form
ingests with secrets, and everything that the deployment has left is searched for them.
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
from tests.integration.celery.traces import files, leaks, pages, rows

BUCKET = "media"
DAG = "kaltura_feed_archive"
FORM = "kaltura_ingest"
HOURS = tuple(f"2024-03-01T0{hour}:00:00Z" for hour in range(4))
FEED = """\
name: archive
schedule: "@hourly"
start_date: 2024-03-01
end_date: 2024-03-01
receipts: RECEIPTS
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
    "FLOWER_PASSWORD": "fl0wer",
    "AIRFLOW_USERS": "operator:admin",
    "WORKER_CONCURRENCY": "3",
    "TRANSFER_CONCURRENCY": "2",
    "KALTURA_POOL_SLOTS": "4",
    "KALTURA_ALLOWED_HOSTS": "127.0.0.1",
    "KALTURA_ALLOWED_PATHS": "/opt/airflow/receipts",
    "TASK_HEARTBEAT_TIMEOUT": "25",
    "TASK_QUEUED_TIMEOUT": "40",
}
VOLUMES = {"airflow.cfg", "auth", "broker", "dags", "database", "feeds", "logs", "receipts", "run", "sandbox", "tmp"}
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
        reply = self._ask(method, f"api/v2/{path}", **arguments)
        return dict(reply.json()) if reply.content else {}

    def get(self, path: str) -> str:
        return self._ask("GET", path).text

    def _ask(self, method: str, path: str, **arguments: Any) -> requests.Response:
        if not self._token:
            passwords = json.loads((self.home / "auth" / "passwords.json").read_text())
            body = {"username": "operator", "password": passwords["operator"]}
            reply = requests.post(f"{self.page}/auth/token", json=body, timeout=30)
            reply.raise_for_status()
            self._token = reply.json()["access_token"]
        headers = {"Authorization": f"Bearer {self._token}"}
        answer = requests.request(method, f"{self.page}/{path}", headers=headers, timeout=30, **arguments)
        answer.raise_for_status()
        return answer

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


def s3_client(cluster: Cluster) -> Any:
    lines = [
        shlex.split(line.removeprefix("export ")) for line in (cluster.home / "sandbox/env").read_text().splitlines()
    ]
    env = dict(line[0].split("=", 1) for line in lines if line and "=" in line[0])
    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{cluster.ports['sandbox:8333']}",
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
        region_name="us-east-1",
    )


def picture(size: int) -> bytes:
    """Return a picture by its first bytes, so nothing is converted."""
    return b"\x89PNG\r\n\x1a\n" + random.randbytes(size)


def sources(cluster: Cluster) -> dict[str, str]:
    """Put media into S3 and return the SHA-256 of each by its URI."""
    s3 = s3_client(cluster)
    s3.create_bucket(Bucket=BUCKET)
    digests = {}
    for hour in range(len(HOURS)):
        for number in range(4):
            content = picture(2_500_000 + 100_000 * number)
            key = f"2024-03-01/{hour}/{number}.png"
            s3.put_object(Bucket=BUCKET, Key=key, Body=content)
            digests[f"s3://{BUCKET}/{key}"] = hashlib.sha256(content).hexdigest()
    return digests


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    home = tmp_path_factory.mktemp("cluster") / "airflow"
    for folder in ("auth", "dags", "feeds", "receipts", "sandbox"):
        (home / folder).mkdir(parents=True)
    (home / "feeds" / "archive.yaml").write_text(FEED.replace("RECEIPTS", str(home / "receipts")))
    (home / "dags" / "kaltura_feeds.py").write_bytes(Path(__file__).with_name("dags.py").read_bytes())
    form = (ROOT / "dags" / "kaltura_ingest.py").read_text()
    (home / "dags" / "kaltura_ingest.py").write_text(form.replace("seconds=30", "seconds=1"))
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
    settings["AIRFLOW__CELERY__FLOWER_HOST"] = "127.0.0.1"
    settings["AIRFLOW__CELERY__FLOWER_PORT"] = str(made.ports["flower:5555"])
    try:
        start(made)
        yield made
    finally:
        if request.session.testsfailed:
            print(made.logs())
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

    digests = sources(cluster)
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
    cluster.start("flower")
    for part in (*PARTS, "flower"):
        wait_for(lambda name=f"{part}-1": cluster.is_healthy(name), 180, f"{part} is healthy")
    # The containers' file systems are read-only: what is written has to be in a volume or below /tmp.
    assert {path.name for path in cluster.home.iterdir()} <= VOLUMES
    assert (cluster.home / "airflow.cfg").read_text() == ""
    assert {name.rpartition("-")[0] for name in cluster.containers} == set(cluster.services), "a service was not run"
    say(f"starts: { {name: one.starts for name, one in cluster.containers.items()} }")


def run_form(cluster: Cluster, **conf: Any) -> str:
    """Trigger the form, and return how its run ended."""
    dag = f"dags/{FORM}"
    wait_for(lambda: cluster.request("GET", dag), 240, f"{FORM} is there")
    cluster.request("PATCH", dag, json={"is_paused": False})
    run_id = cluster.request("POST", f"{dag}/dagRuns", json={"logical_date": None, "conf": conf})["dag_run_id"]

    def ended() -> str | None:
        state = cluster.request("GET", f"{dag}/dagRuns/{run_id}")["state"]
        return state if state in ("success", "failed") else None

    return str(wait_for(ended, 240, f"the run {conf} of {FORM} ends"))


@pytest.mark.timeout(580)
def test_no_secret_is_left_anywhere(cluster: Cluster) -> None:
    s3 = s3_client(cluster)
    site = f"http://127.0.0.1:{cluster.ports['sandbox:8333']}"
    s3.create_bucket(Bucket="given")
    s3.put_object(Bucket="given", Key="signed.png", Body=picture(50_000))
    signed = s3.generate_presigned_url("get_object", Params={"Bucket": "given", "Key": "signed.png"}, ExpiresIn=600)
    connections = json.loads((ROOT / "deploy/sandbox/connections.json").read_text())
    passwords = {f"password of {name}": one["password"] for name, one in connections.items()}
    secrets = passwords | {
        **{name: VARIABLES[name] for name in ("POSTGRES_PASSWORD", "VALKEY_PASSWORD", "FERNET_KEY", "JWT_SECRET")},
        **{name: VARIABLES[name] for name in ("API_SECRET_KEY", "FLOWER_PASSWORD")},
        "signature": signed.rpartition("Signature=")[2].partition("&")[0],
        "token of a URL": "Q7zToken",
        "password of a URL": "Q7zUser",
        "password of the site": "Q7zPassword",
    }
    new = {"connection_id": "site", "conn_type": "http", "host": site, "login": "crew"}
    cluster.request("POST", "connections", json={**new, "password": secrets["password of the site"]})

    assert run_form(cluster, sources=[signed]) == "success"
    bad = [f"{site}/given/a.png?token=Q7zToken", f"{site.replace('//', '//crew:Q7zUser@')}/given/b.png"]
    assert run_form(cluster, sources=bad) == "failed"
    assert run_form(cluster, sources=[f"{site}/given/c.png"], http_conn_id="site") == "failed"

    def left() -> list[tuple[str, str]]:
        database = cluster.database.url.replace("+psycopg2", "").rpartition("/")[0] + "/airflow"
        texts = [
            *files(cluster.home, ["auth", "database", "sandbox", "run/sandbox-1.log"]),
            *rows(database),
            *pages(cluster, [DAG, FORM]),
        ]
        places = {place for place, _ in texts}
        assert {"xcom", "log", "rendered_task_instance_fields", "task_state_store", "kaltura/board"} <= places, places
        return leaks(texts, secrets)

    assert left() == []
    # The search finds what is there: a note, which goes into a table, an event and pages, and a line of a log.
    [run, *_] = cluster.request("GET", f"dags/{FORM}/dagRuns")["dag_runs"]
    cluster.request("PATCH", f"dags/{FORM}/dagRuns/{run['dag_run_id']}", json={"note": f"see {signed}"})
    (cluster.home / "logs" / "careless.log").write_text(f"GET {site} {secrets['password of the site']} djJ8{'x' * 40}")
    found = left()
    assert {("dag_run_note", "signature"), (f"run of {FORM}", "signature")} <= set(found)
    assert {("logs/careless.log", "password of the site"), ("logs/careless.log", "KS")} <= set(found)
