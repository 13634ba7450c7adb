"""What a feed costs before anything is transferred: parsing its DAG for a task, and planning 10,000 objects."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaltura_sandbox.s3 import S3Server

__all__ = ["MOST", "measure"]

ROOT = Path(__file__).resolve().parents[2]
FEEDS, OBJECTS = 200, 10_000
BUCKET = "bench"

MOST = {"parse_seconds_per_task_200_feeds": 0.5, "discover_seconds_10k": 5}

# What a task's process does after Airflow has started it: it runs the DAG file for one DAG.
PARSE = """
import runpy, sys, time
from airflow.sdk.definitions.context import Context
from airflow.sdk.execution_time import task_runner
from airflow.sdk.definitions._internal.contextmanager import DagContext
from airflow.sdk.definitions.dag import DAG
file, dag_id = sys.argv[1:]
began = time.process_time()
with task_runner._airflow_parsing_context_manager(dag_id=dag_id, task_id="discover"):
    dags = runpy.run_path(file)
assert dag_id in dags, sorted(dags)
print(time.process_time() - began)
"""


def measure() -> Iterator[dict[str, float]]:
    """Yield both figures."""
    yield {"parse_seconds_per_task_200_feeds": _parse()}
    yield {"discover_seconds_10k": _discover()}


def _parse() -> float:
    with TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(FEEDS):
            (folder / f"feed{number}.yaml").write_text(yaml.safe_dump(_feed(f"feed{number}")))
        env = {**os.environ, "KALTURA_FEEDS_FOLDER": name}
        file = ROOT / "dags" / "kaltura_feeds.py"
        command = [sys.executable, "-c", PARSE, str(file), f"kaltura_feed_feed{FEEDS // 2}"]
        times = []
        for _ in range(3):
            done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=True)
            times.append(float(done.stdout.strip().splitlines()[-1]))
        return min(times)


def _feed(name: str, prefix: str = "news") -> dict[str, Any]:
    uri = f"s3://{BUCKET}/{prefix}/{{{{ data_interval_start | ds }}}}/"
    metadata = {"name": "{{ asset.stem }} of {{ ds }}", "tags": ["news", "{{ ds_nodash }}"], "categories": ["News"]}
    return {"name": name, "start_date": "2024-03-01", "source": {"uri": uri}, "metadata": metadata}


def _discover() -> float:
    from kaltura_provider.feeds.feed_plan import plan_feed
    from kaltura_provider.feeds.schema import Feed
    from kaltura_sandbox.s3 import S3Server
    from kaltura_sandbox.spawned import SpawnedSandbox

    with TemporaryDirectory() as name, SpawnedSandbox(manual_jobs=True) as sandbox, S3Server(Path(name)) as s3:
        _connect(sandbox, s3)
        _fill(s3)
        began = time.monotonic()
        plan = plan_feed(Feed.model_validate(_feed("many")), dt.date(2024, 3, 1))
        seconds = time.monotonic() - began
        if plan.to_bring != OBJECTS:
            raise RuntimeError(f"{plan.to_bring} of {OBJECTS} objects were planned: {plan.problems}")
    return seconds


def _fill(s3: S3Server) -> None:
    s3.client.create_bucket(BUCKET)
    from kaltura_provider.hooks.sources import s3_client

    client = s3_client("aws_default")
    with ThreadPoolExecutor(16) as pool:
        keys = [f"news/2024-03-01/{number:05}.mp4" for number in range(OBJECTS)]
        list(pool.map(lambda key: client.put_object(Bucket=BUCKET, Key=key, Body=key.encode()), keys))


def _connect(sandbox: Any, s3: S3Server) -> None:
    kaltura = {"conn_type": "kaltura", "host": sandbox.url, "login": str(sandbox.partner_id)}
    os.environ["AIRFLOW_CONN_KALTURA_DEFAULT"] = json.dumps({**kaltura, "password": sandbox.admin_secret})
    extra = {"endpoint_url": s3.url, "region_name": "us-east-1"}
    aws = {"conn_type": "aws", "login": s3.access_key, "password": s3.secret_key, "extra": extra}
    os.environ["AIRFLOW_CONN_AWS_DEFAULT"] = json.dumps(aws)


if __name__ == "__main__":
    for figures in measure():
        print(figures, flush=True)
