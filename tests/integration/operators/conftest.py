"""Runs the DAGs of the folder `dags` by Airflow's own `dag.test()`, and single operators, against the sandbox."""

from __future__ import annotations

import json
import runpy
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest
from airflow.sdk.exceptions import AirflowFailException

from kaltura_sandbox import Sandbox
from kaltura_sandbox.s3 import S3Server

DAGS = Path(__file__).parent / "dags"


class TaskInstance:
    """What an operator needs of a task instance."""

    dag_id = "dag"
    run_id = "run"
    try_number = 1
    max_tries = 0
    map_index = -1

    def __init__(self) -> None:
        self.pushed: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value


class Store(dict[str, Any]):
    """Airflow's task state store, as far as operators use it."""

    def set(self, key: str, value: Any) -> None:
        self[key] = value


@dataclass
class Kaltura:
    """The sandbox, the connection to it, and ways to run operators."""

    sandbox: Sandbox
    hook: Any
    monkeypatch: pytest.MonkeyPatch

    def run(self, operator: type, *, store: Store | None = None, **arguments: Any) -> Any:
        """Run one operator and return what it returns; with a store as one more try of the same task."""
        made = operator(task_id="task", **arguments)
        kept = {} if store is None else {"task_state_store": store}
        return made.execute({"ti": TaskInstance(), **kept})

    def refused(self, operator: type, **arguments: Any) -> str:
        """Run one operator that must fail for good without a call, and return why."""
        before = self.calls
        with pytest.raises(AirflowFailException) as failure:
            self.run(operator, **arguments)
        assert self.calls == before, "it called Kaltura"
        return str(failure.value)

    @property
    def calls(self) -> list[str]:
        """The calls the sandbox has answered."""
        return [call["call"] for call in self.sandbox.control.log()]

    def dag(self, name: str, /, **conf: Any) -> dict[str, Any]:
        """Run a DAG of the folder to its end; return the results of its tasks by their ids."""
        bundle = {
            "name": "examples",
            "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
            "kwargs": {"path": str(DAGS)},
        }
        self.monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", json.dumps([bundle]))
        dag = runpy.run_path(str(DAGS / f"{name}.py"))["dag"]
        for task in dag.tasks:
            task.retry_delay = timedelta(milliseconds=10)
        done = dag.test(run_conf=conf or None)
        states = {task.task_id: str(task.state) for task in done.get_task_instances()}
        assert str(done.state) == "success", states
        return {task_id: self._result(dag.dag_id, done.run_id, task_id) for task_id in states}

    def _result(self, dag_id: str, run_id: str, task_id: str) -> Any:
        from airflow.models.xcom import XComModel
        from airflow.utils.session import create_session

        with create_session() as session:
            found = XComModel.get_many(run_id=run_id, dag_ids=dag_id, task_ids=task_id, key="return_value")
            row = session.scalars(found).first()
            return None if row is None else XComModel.deserialize_value(row)

    def entry(self, name: str = "Entry", **fields: Any) -> str:
        """Make an entry without content."""
        entry = {"objectType": "KalturaMediaEntry", "mediaType": 1, "name": name, **fields}
        return str(self.hook.call("media", "add", entry=entry)["id"])


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of two seconds."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    source = ["-f", "lavfi", "-i", "testsrc=size=320x180:rate=25:duration=2", "-f", "lavfi", "-i", "sine=duration=2"]
    subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *source, "-pix_fmt", "yuv420p", str(path)], check=True
    )
    return path


@pytest.fixture(autouse=True)
def allowed_paths(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tests may have files below pytest's own folder."""
    monkeypatch.setenv("KALTURA_ALLOWED_PATHS", str(tmp_path_factory.getbasetemp()))


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> Callable[[Sandbox], Kaltura]:
    """Makes a sandbox the one that `kaltura_default` leads to."""
    from kaltura_provider.hooks.kaltura import KalturaHook

    def connect(sandbox: Sandbox) -> Kaltura:
        connection = {
            "conn_type": "kaltura",
            "host": sandbox.url,
            "login": str(sandbox.partner_id),
            "password": sandbox.admin_secret,
            "extra": {"cdn_host": sandbox.url, "kmc_host": sandbox.url},
        }
        monkeypatch.setenv("AIRFLOW_CONN_KALTURA_DEFAULT", json.dumps(connection))
        return Kaltura(sandbox, KalturaHook(), monkeypatch)

    return connect


@pytest.fixture
def store() -> Store:
    """What a task's tries have in common."""
    return Store()


@pytest.fixture
def kaltura(kaltura_sandbox: Sandbox, connected: Callable[[Sandbox], Kaltura]) -> Kaltura:
    return connected(kaltura_sandbox)


@pytest.fixture
def film(kaltura: Kaltura, clip: Path) -> str:
    """A READY entry with flavors."""
    from kaltura_provider.operators.add_from import KalturaAddFromUploadedFileOperator
    from kaltura_provider.operators.upload import KalturaUploadOperator

    token = kaltura.run(KalturaUploadOperator, source=str(clip))
    entry_id = kaltura.run(KalturaAddFromUploadedFileOperator, token_id=token, metadata={"name": "Film"})["entry_id"]
    kaltura.sandbox.control.wait_idle()
    return str(entry_id)


@pytest.fixture
def deployed(kaltura: Kaltura, airflow_db: Path) -> Kaltura:
    """The same, with Airflow's database, for whole DAGs."""
    return kaltura


@pytest.fixture
def s3(s3_sandbox: S3Server, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A boto3 client; the bucket is `media`, the connection `aws_default`."""
    extra = {"endpoint_url": s3_sandbox.url, "region_name": "us-east-1"}
    connection = {"conn_type": "aws", "login": s3_sandbox.access_key, "password": s3_sandbox.secret_key, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(connection))
    s3_sandbox.client.create_bucket("media")
    return s3_sandbox.client
