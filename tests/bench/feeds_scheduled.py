"""What feeds cost Airflow under a real scheduler: task instances and processor time, and the same runs once more.

Processor time is that of scheduler, workers and API server, from the start of a run to its end. The sources are small
pictures, which Kaltura does not convert.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.scheduler.live import Live

__all__ = ["MOST", "measure"]

ROOT = Path(__file__).resolve().parents[2]
MANY, FEW, LENGTH = 1000, 10, 100_000
# Scaled down from a year. Each window has its own runs, so more of them cost proportionally more.
WINDOWS, ITEMS = 15, 3
PATIENCE = 1200.0

MOST = {
    "ingest_task_instances_per_asset_1k": 0.06,
    "ingest_cpu_seconds_per_asset_1k_vs_one_task_each": 0.03,
    "again_task_instances_per_window": 2,
    "again_cpu_vs_first": 0.2,
}


@dataclass(frozen=True)
class Cost:
    """Processor seconds, and the number of task instances that were started."""

    seconds: float
    instances: int


def measure() -> dict[str, float]:
    """Return the figures."""
    sys.path.insert(0, str(ROOT))
    from tests.integration.scheduler.live import deployed

    with TemporaryDirectory() as folder, deployed(Path(folder), _feeds) as live:
        alone = _run(live, "few", FEW).seconds / FEW
        print(f"  one task an asset: {alone:.3f} CPU seconds an asset", flush=True)
        many = _run(live, "many", MANY)
        print(f"  {MANY} assets: {many}", flush=True)
        first, again = _windows(live)
    return {
        "ingest_cpu_seconds_per_asset_10_one_task_each": alone,
        "ingest_cpu_seconds_per_asset_1k": many.seconds / MANY,
        "ingest_cpu_seconds_per_asset_1k_vs_one_task_each": many.seconds / MANY / alone,
        "ingest_task_instances_per_asset_1k": many.instances / MANY,
        "first_task_instances_per_window": first.instances / WINDOWS,
        "again_task_instances_per_window": again.instances / WINDOWS,
        "first_cpu_seconds_per_window": first.seconds / WINDOWS,
        "again_cpu_seconds_per_window": again.seconds / WINDOWS,
        "again_cpu_vs_first": again.seconds / first.seconds,
    }


def _feeds(bucket: str, site: str) -> list[dict[str, Any]]:
    day = "{{ data_interval_start | ds }}"

    def feed(name: str, uri: str, **fields: Any) -> dict[str, Any]:
        source = {"type": "s3_prefix", "uri": f"s3://{bucket}/{uri}/"}
        return {"name": name, "start_date": "2024-03-01", "end_date": "2024-12-31", "source": source, **fields}

    return [
        feed("few", "few", schedule=None, batch_size=1),
        feed("many", "many", schedule=None),
        feed("windows", f"windows/{day}", max_active_runs=4),
    ]


def _fill(live: Live, prefix: str, count: int, length: int) -> None:
    from tests.integration.scheduler.live import picture

    keys = [f"{prefix}/{number:05}.png" for number in range(count)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: live.put(key, picture(length, hash(key))), keys))


def _run(live: Live, name: str, count: int) -> Cost:
    _fill(live, name, count, LENGTH)
    before = _processor_seconds(live)
    run = live.start(f"kaltura_feed_{name}").ended(PATIENCE)
    seconds = _processor_seconds(live) - before
    summary = run.xcom("summary")
    if run.state != "success" or summary["new"] != count:
        raise RuntimeError(f"{name}: {run.state}, {summary['new']} of {count} are new")
    return Cost(seconds, _started(run.instances()))


def _windows(live: Live) -> tuple[Cost, Cost]:
    days = [f"2024-03-{day:02}" for day in range(1, WINDOWS + 1)]
    for day in days:
        _fill(live, f"windows/{day}", ITEMS, 2000)
    return _backfilled(live, days, "none"), _backfilled(live, days, "completed")


def _backfilled(live: Live, days: list[str], again: str) -> Cost:
    body = {
        "dag_id": "kaltura_feed_windows",
        "from_date": f"{days[0]}T00:00:00Z",
        "to_date": f"{days[-1]}T00:00:00Z",
        "max_active_runs": 4,
        "reprocess_behavior": again,
    }
    before = _processor_seconds(live)
    backfill = live.airflow.send("POST", "backfills", body)["id"]
    live.wait("a backfill", PATIENCE, _completed(live, backfill))
    seconds = _processor_seconds(live) - before
    found = [ti for run in _runs(live) for ti in _instances(live, run)]
    # Airflow keeps instances of a mapped task that the repeated run does not have any more as "removed".
    failed = [ti["task_id"] for ti in found if ti["state"] not in ("success", "skipped", "removed")]
    if failed:
        raise RuntimeError(f"tasks of the backfill failed: {failed}")
    return Cost(seconds, _started(found))


def _completed(live: Live, backfill: int) -> Callable[[], bool]:
    return lambda: (
        bool(live.airflow.get(f"backfills/{backfill}")["completed_at"])
        and all(run["state"] in ("success", "failed") for run in _runs(live))
    )


def _runs(live: Live) -> list[dict[str, Any]]:
    found = live.airflow.get("dags/kaltura_feed_windows/dagRuns", run_type="backfill", limit=100)["dag_runs"]
    return [dict(run) for run in found]


def _instances(live: Live, run: dict[str, Any]) -> list[dict[str, Any]]:
    path = f"dags/kaltura_feed_windows/dagRuns/{run['dag_run_id']}/taskInstances"
    return [dict(ti) for ti in live.airflow.get(path, limit=100)["task_instances"]]


def _started(instances: list[dict[str, Any]]) -> int:
    # Airflow sets both times of an instance that it skips without starting it.
    started = [ti for ti in instances if ti["start_date"] is not None and ti["pid"] is not None]
    return sum(ti["state"] != "removed" for ti in started)


def _processor_seconds(live: Live) -> float:
    """Return what scheduler (with its workers) and API server have used until now, with processes that have ended."""
    groups = live.airflow.processes.recorded()
    roots = [psutil.Process(groups[name]) for name in ("scheduler", "api-server")]
    total = 0.0
    for process in [one for root in roots for one in (root, *root.children(recursive=True))]:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


if __name__ == "__main__":
    for key, value in measure().items():
        print(f"  {key} {value:.3f}")
