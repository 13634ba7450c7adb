"""A deployment in this process: DAGs run by Airflow's own `dag.test()` against the sandbox and a real S3 server."""

from __future__ import annotations

import json
import runpy
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import imageio_ffmpeg
import pytest
import yaml
from airflow.sdk import DAG

from kaltura_sandbox import Sandbox
from kaltura_sandbox.s3 import S3Server
from tests.integration.dags.file_server import Site

BUCKET = "media"
DAGS = Path(__file__).parents[3] / "dags"


@dataclass
class Ran:
    """A DAG run that has ended."""

    dag_id: str
    run_id: str
    state: str
    tries: dict[str, int]
    states: dict[str, str]

    def xcom(self, task_id: str, key: str = "return_value", map_index: int = -1) -> Any:
        from airflow.models.xcom import XComModel
        from airflow.utils.session import create_session

        with create_session() as session:
            row = session.scalars(
                XComModel.get_many(
                    run_id=self.run_id, dag_ids=self.dag_id, task_ids=task_id, key=key, map_indexes=map_index
                )
            ).first()
            return None if row is None else XComModel.deserialize_value(row)

    @property
    def summary(self) -> dict[str, Any]:
        found = self.xcom("summary")
        assert found is not None, self.states
        return dict(found)

    @property
    def reason(self) -> str:
        (failed,) = self.summary["failed"]
        return str(failed["reason"])


@dataclass
class Deployment:
    """The sandbox, S3 and the connections between them and Airflow."""

    sandbox: Sandbox
    s3: S3Server
    monkeypatch: pytest.MonkeyPatch
    folder: Path

    def connect(self, conn_id: str = "kaltura_default", **fields: Any) -> None:
        said = {
            "conn_type": "kaltura",
            "host": self.sandbox.url,
            "login": str(self.sandbox.partner_id),
            "password": self.sandbox.admin_secret,
            "extra": {"cdn_host": self.sandbox.url, "kmc_host": self.sandbox.url},
        }
        self.monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps({**said, **fields}))

    def put(self, key: str, content: bytes) -> str:
        """Store an object below a prefix of this test's own; return its address."""
        key = f"{self.folder.name}/{key}"
        path = self.folder / "object"
        path.write_bytes(content)
        self.s3.client.put_file(BUCKET, key, path)
        return f"s3://{BUCKET}/{key}"

    def feed(self, **fields: Any) -> DAG:
        """Write a feed file and return the DAG that Airflow's DAG file makes of it."""
        folder = self.folder / "feeds"
        folder.mkdir(exist_ok=True)
        (folder / "feed.yaml").write_text(yaml.safe_dump(fields))
        self.monkeypatch.setenv("KALTURA_FEEDS_FOLDER", str(folder))
        return runpy.run_path(str(DAGS / "kaltura_feeds.py"))[f"kaltura_feed_{fields['name']}"]

    def form(self) -> DAG:
        """Return the DAG of the trigger form."""
        return runpy.run_path(str(DAGS / "kaltura_ingest.py"))["dag"]

    def run(self, dag: DAG, logical_date: datetime | None = None, **conf: Any) -> Ran:
        done = quick(dag).test(logical_date=logical_date, run_conf=conf or None)
        instances = done.get_task_instances()
        return Ran(
            dag.dag_id,
            done.run_id,
            str(done.state),
            {f"{ti.task_id}[{ti.map_index}]": ti.try_number for ti in instances},
            {f"{ti.task_id}[{ti.map_index}]": str(ti.state) for ti in instances},
        )

    def held(self) -> dict[str, str]:
        """Return entry name -> sha256 of what Kaltura holds, for every entry that is not deleted."""
        control = self.sandbox.control
        return {
            entry["name"]: (control.entry(entry["id"])["content"] or {}).get("sha256", "")
            for entry in control.entries()
        }


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Three short clips that differ."""
    folder = tmp_path_factory.mktemp("clips")
    made = {}
    for number, size in enumerate(("320x180", "480x270", "640x360"), 1):
        path = folder / f"clip-{number}.mp4"
        video, sound = f"testsrc=size={size}:rate=25:duration=2", f"sine={300 * number}:duration=2"
        inputs = ["-f", "lavfi", "-i", video, "-f", "lavfi", "-i", sound]
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *inputs, "-pix_fmt", "yuv420p", str(path)]
        subprocess.run(command, check=True)
        made[path.name] = path.read_bytes()
    return made


@pytest.fixture
def deployment(
    airflow_db: Path,
    kaltura_sandbox: Sandbox,
    s3_sandbox: S3Server,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Deployment:
    made = Deployment(kaltura_sandbox, s3_sandbox, monkeypatch, tmp_path)
    made.connect()
    monkeypatch.setenv("KALTURA_ALLOWED_PATHS", str(tmp_path))
    aws = {"endpoint_url": s3_sandbox.url, "region_name": "us-east-1"}
    monkeypatch.setenv(
        "AIRFLOW_CONN_AWS_DEFAULT",
        json.dumps(
            {"conn_type": "aws", "login": s3_sandbox.access_key, "password": s3_sandbox.secret_key, "extra": aws}
        ),
    )
    s3_sandbox.client.create_bucket(BUCKET)
    return made


def quick(dag: DAG) -> DAG:
    """Let nobody wait between tries."""
    for task in dag.tasks:
        task.retry_delay = timedelta(milliseconds=10)
    return dag


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("KALTURA_ALLOWED_HOSTS", "127.0.0.1")
    with Site() as server:
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()
