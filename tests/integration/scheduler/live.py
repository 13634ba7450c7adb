"""One real deployment: scheduler, workers, triggerer and API server, with the sandbox and a real S3 server."""

from __future__ import annotations

import functools
import http.server
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from kaltura_sandbox import Control

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "include" / "local"))

from deployment import Deployment, free_port

__all__ = ["BUCKET", "Live", "Run", "deployed", "kill", "picture"]

BUCKET = "media"
ENDED = ("success", "failed")


def picture(length: int, seed: int) -> bytes:
    """A picture by its first bytes, which Kaltura does not convert."""
    return b"\x89PNG\r\n\x1a\n" + random.Random(seed).randbytes(length - 8)


@dataclass
class Run:
    """A run that was triggered."""

    live: Live
    dag_id: str
    run_id: str

    @property
    def _path(self) -> str:
        return f"dags/{self.dag_id}/dagRuns/{self.run_id}"

    @property
    def state(self) -> str:
        return str(self.live.airflow.get(self._path)["state"])

    def instances(self, task_id: str | None = None) -> list[dict[str, Any]]:
        found = self.live.airflow.get(f"{self._path}/taskInstances", limit=1000)["task_instances"]
        return [ti for ti in found if task_id in (None, ti["task_id"])]

    def states(self) -> dict[str, str]:
        return {f"{ti['task_id']}[{ti['map_index']}]": ti["state"] for ti in self.instances()}

    def started(self) -> list[str]:
        return [ti["task_id"] for ti in self.instances() if ti["start_date"]]

    def running(self, task_id: str) -> list[dict[str, Any]]:
        return [ti for ti in self.instances(task_id) if ti["state"] == "running" and ti["pid"]]

    def ended(self, within: float = 150) -> Run:
        self.live.wait(f"the end of {self.dag_id} {self.run_id}", within, lambda: self.state in ENDED, self.states)
        return self

    def failures(self) -> list[Any]:
        """Return why items of a run that has ended failed."""
        found = self.live.airflow.get(f"{self._path}/taskInstances/~/xcomEntries", limit=1000)["xcom_entries"]
        told = [one for one in found if one["key"] in ("kaltura_failure", "kaltura_failures")]
        return [self.xcom(one["task_id"], one["key"], one["map_index"]) for one in told]

    def clear(self, task_id: str) -> None:
        """Run a task again, and what follows it, as a person does after a failure."""
        body = {"dag_run_id": self.run_id, "task_ids": [task_id], "include_downstream": True}
        options = {"dry_run": False, "only_failed": False}
        self.live.airflow.send("POST", f"dags/{self.dag_id}/clearTaskInstances", body | options)

    def xcom(self, task_id: str, key: str = "return_value", map_index: int = -1) -> Any:
        path = f"{self._path}/taskInstances/{task_id}/xcomEntries/{key}"
        return self.live.airflow.get(path, deserialize=True, map_index=map_index)["value"]


@dataclass
class Live:
    """The deployment, with what a test does to it.

    :param posted: what was sent to the site by ``POST``, as by webhooks.
    """

    airflow: Deployment
    folder: Path
    site: str
    posted: list[str]

    @functools.cached_property
    def s3(self) -> Any:
        env = self.airflow.sandbox_env()
        return boto3.client(
            "s3",
            endpoint_url=env["S3_ENDPOINT_URL"],
            aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
            region_name="us-east-1",
        )

    @property
    def control(self) -> Control:
        return Control(f"http://127.0.0.1:{self.airflow.kaltura_port}")

    def put(self, key: str, content: bytes) -> str:
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=content)
        return f"s3://{BUCKET}/{key}"

    def start(self, dag_id: str, **conf: Any) -> Run:
        body = {"logical_date": None, "conf": conf}
        return Run(self, dag_id, str(self.airflow.send("POST", f"dags/{dag_id}/dagRuns", body)["dag_run_id"]))

    def backfill(self, dag_id: str, day: str, again: str = "none") -> Run:
        """Backfill the window of one day. ``again`` says whether it may have run: ``none`` or ``completed``."""
        moment = f"{day}T00:00:00Z"
        body = {"dag_id": dag_id, "from_date": moment, "to_date": moment, "reprocess_behavior": again}
        # The scheduler notices some time after the last run that a backfill has ended, and until then refuses another.
        self.wait("the end of the backfill before", 120, lambda: not self._under_way(dag_id))
        self.airflow.send("POST", "backfills", {**body, "max_active_runs": 2})
        (run,) = self.airflow.get(f"dags/{dag_id}/dagRuns", run_type="backfill")["dag_runs"]
        return Run(self, dag_id, run["dag_run_id"])

    def _under_way(self, dag_id: str) -> list[dict[str, Any]]:
        known = self.airflow.get("backfills", dag_id=dag_id)["backfills"]
        return [one for one in known if not one["completed_at"]]

    def wait(self, what: str, seconds: float, ready: Callable[[], Any], tell: Callable[[], Any] = str) -> None:
        end = time.monotonic() + seconds
        while not ready():
            self.airflow.processes.check()
            assert time.monotonic() < end, f"waited {seconds:.0f} s for {what}: {tell()}"[:2000]
            time.sleep(0.3)

    def keys(self, prefix: str) -> list[str]:
        """Return the keys below a prefix, without it."""
        found = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return [one["Key"].removeprefix(prefix) for one in found]

    def use_connections(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let this process use the connections of the deployment."""
        for name, value in self.airflow.sandbox_env().items():
            monkeypatch.setenv(name, value)

    def held(self) -> dict[str, list[str]]:
        """Return the SHA-256 of the content of each entry by its name."""
        found: dict[str, list[str]] = {}
        for entry in self.control.entries():
            content = self.control.entry(entry["id"]).get("content") or {}
            found.setdefault(entry["name"], []).append(content.get("sha256", ""))
        return found


class _Site(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *args: Any, posted: list[str], **kwargs: Any) -> None:
        self._posted = posted
        super().__init__(*args, **kwargs)

    def do_POST(self) -> None:
        """Keep what is sent."""
        self._posted.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def deployed(
    folder: Path, feeds: Callable[[str, str], Iterable[Mapping[str, Any]]], settings: Mapping[str, str] | None = None
) -> Iterator[Live]:
    """Run a deployment with some feeds: ``feeds(bucket, site)`` returns them; ``site`` serves ``folder/site``."""
    (folder / "site").mkdir()
    posted: list[str] = []
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(_Site, directory=str(folder / "site"), posted=posted)
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    site = f"http://127.0.0.1:{server.server_address[1]}"
    (folder / "feeds").mkdir()
    for feed in feeds(BUCKET, site):
        (folder / "feeds" / f"{feed['name']}.yaml").write_text(yaml.safe_dump(dict(feed)))
    own = {
        "KALTURA_FEEDS_FOLDER": str(folder / "feeds"),
        "KALTURA_ALLOWED_HOSTS": "127.0.0.1",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
    }
    home = folder / "airflow"
    airflow = Deployment(home, free_port(), free_port(), free_port(), home / "env", own | dict(settings or {}))
    try:
        airflow.start(print)
        made = Live(airflow, folder, site, posted)
        made.s3.create_bucket(Bucket=BUCKET)
        yield made
    finally:
        server.shutdown()
        server.server_close()
        airflow.processes.stop(timeout=3)  # nothing of it is kept


def kill(pid: int) -> None:
    """End a task as a machine that runs out of memory does."""
    os.kill(pid, 9)
