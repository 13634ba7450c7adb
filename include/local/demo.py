"""The demo: backfill three days of sample media through Airflow, then compare Kaltura's bytes with those in S3."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

import boto3
import requests

if TYPE_CHECKING:
    from collections.abc import Callable

    from deployment import Deployment

__all__ = ["DemoFailed", "run_demo"]

DAG_ID = "kaltura_feed_demo"
DAYS = ("2024-03-01", "2024-03-02", "2024-03-03")
BUCKET, PREFIX = "kaltura-demo", "incoming"
TIMEOUT = 420.0


class DemoFailed(RuntimeError):
    """The demo did not reach its expected result; the message says what is missing."""


def run_demo(deployment: Deployment, say: Callable[[str], None]) -> None:
    """Backfill, print a report, and verify.

    :raises DemoFailed: a source item is not READY in Kaltura with exactly its bytes.
    """
    expected = _sources(deployment)
    deployment.send("PATCH", f"dags/{DAG_ID}", {"is_paused": False})
    deployment.send(
        "POST",
        "backfills",
        {
            "dag_id": DAG_ID,
            "from_date": f"{DAYS[0]}T00:00:00Z",
            "to_date": f"{DAYS[-1]}T00:00:00Z",
            "max_active_runs": len(DAYS),
        },
    )
    say(f"backfilling {DAG_ID} from {DAYS[0]} to {DAYS[-1]}: {len(expected)} files")
    rows = _watch(deployment, say)
    _print_table(rows, say)
    _verify(deployment, rows, expected)


def _sources(deployment: Deployment) -> dict[str, str]:
    """Return the SHA-256 of every sample in S3 by its URI."""
    env = deployment.sandbox_env()
    client = boto3.client(
        "s3",
        endpoint_url=env["S3_ENDPOINT_URL"],
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
        region_name="us-east-1",
    )
    digests = {}
    for day in DAYS:
        for item in client.list_objects_v2(Bucket=BUCKET, Prefix=f"{PREFIX}/{day}/").get("Contents", []):
            body = client.get_object(Bucket=BUCKET, Key=item["Key"])["Body"]
            digests[f"s3://{BUCKET}/{item['Key']}"] = _sha256(body.iter_chunks(1 << 20))
    if not digests:
        raise DemoFailed(f"there is no sample media in s3://{BUCKET}/{PREFIX}/; see the log of the sandbox")
    return digests


def _watch(deployment: Deployment, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Report progress until the runs of the backfill have ended. Return the rows of their summaries."""
    deadline = time.monotonic() + TIMEOUT
    last = ""
    while True:
        deployment.processes.check()
        runs = _backfill_runs(deployment)
        line = "   ".join(f"{run['logical_date'][:10]} {_progress(deployment, run)}" for run in runs)
        if line != last:
            say(f"  {time.strftime('%H:%M:%S')}  {line}")
            last = line
        if len(runs) == len(DAYS) and all(run["state"] in ("success", "failed") for run in runs):
            break
        if time.monotonic() > deadline:
            raise DemoFailed(f"the backfill has not ended after {TIMEOUT:.0f} s; see the logs in {deployment.home}")
        time.sleep(2)
    if failed := [run["dag_run_id"] for run in runs if run["state"] == "failed"]:
        raise DemoFailed(f"these runs failed: {', '.join(failed)}; see the logs in {deployment.home / 'logs'}")
    return [row for run in runs for row in _summary(deployment, run)]


def _backfill_runs(deployment: Deployment) -> list[dict[str, Any]]:
    found = deployment.get(f"dags/{DAG_ID}/dagRuns", run_type="backfill", limit=100)["dag_runs"]
    return sorted(found, key=lambda run: str(run["logical_date"]))


def _progress(deployment: Deployment, run: dict[str, Any]) -> str:
    instances = deployment.get(f"dags/{DAG_ID}/dagRuns/{run['dag_run_id']}/taskInstances", limit=500)["task_instances"]

    def done(step: str) -> int:
        return sum(i["task_id"] == f"batch.{step}" and i["state"] == "success" for i in instances)

    mapped = sum(i["task_id"] == "batch.ingest" and i["map_index"] >= 0 for i in instances)
    if not mapped:
        return str(run["state"])
    return f"batches sent {done('ingest')}/{mapped} ready {done('ready')}/{mapped}"


def _summary(deployment: Deployment, run: dict[str, Any]) -> list[dict[str, Any]]:
    path = f"dags/{DAG_ID}/dagRuns/{run['dag_run_id']}/taskInstances/summary/xcomEntries/return_value"
    return list(deployment.get(path, deserialize=True)["value"]["assets"])


def _print_table(rows: list[dict[str, Any]], say: Callable[[str], None]) -> None:
    head = ("asset", "size", "entry", "status", "flavors", "seconds")
    cells = [
        (
            row["uri"].removeprefix(f"s3://{BUCKET}/"),
            f"{row['size'] / 2**20:.1f} MiB",
            row["entry_id"],
            row["status"],
            ", ".join(str(flavor) for flavor in row["flavors"]),
            f"{row['seconds']:.1f}",
        )
        for row in rows
    ]
    widths = [max(len(line[i]) for line in [head, *cells]) for i in range(len(head))]
    say("")
    for line in [head, tuple("-" * width for width in widths), *cells]:
        say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))
    for name in ("playback_url", "thumbnail_url"):
        say(f"\n{name.removesuffix('_url')}, for example: {rows[0][name]}")


def _verify(deployment: Deployment, rows: list[dict[str, Any]], expected: dict[str, str]) -> None:
    problems = []
    found = {row["uri"]: row for row in rows}
    for uri, digest in expected.items():
        row = found.get(uri)
        if row is None:
            problems.append(f"{uri}: not in Kaltura")
            continue
        if row["status"] != "ready":
            problems.append(f"{uri}: entry {row['entry_id']} is {row['status']}")
        for name in ("playback_url", "thumbnail_url"):
            with requests.get(row[name], timeout=60, stream=True) as reply:
                if reply.status_code != 200 or not next(reply.iter_content(1024), b""):
                    problems.append(f"{uri}: {row[name]} answered {reply.status_code} without content")
        with requests.get(row["source_url"], timeout=60, stream=True) as reply:
            if _sha256(reply.iter_content(1 << 20)) != digest:
                problems.append(f"{uri}: the bytes Kaltura holds differ from those in S3")
    if problems:
        raise DemoFailed("\n".join(problems))


def _sha256(chunks: Any) -> str:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()
