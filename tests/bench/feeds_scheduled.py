"""What feeds cost Airflow and Kaltura under a real scheduler: task instances, processor time and requests.

Processor time is that of scheduler, workers and API server, from the start of a run to its end, without what they use
in the same time while nothing runs. The sources are small pictures, which Kaltura does not convert.
``feeds_scheduled.py windows`` measures one phase alone.
"""

from __future__ import annotations

import compileall
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.integration.scheduler.live import Live, Run

__all__ = ["MOST", "measure"]

ROOT = Path(__file__).resolve().parents[2]
MANY, FEW, LENGTH = 1000, 10, 100_000
IMPORTS = 10_000
# Scaled down from a year. Each window has its own runs, so more of them cost proportionally more.
WINDOWS, ITEMS = 15, 3
PHASES = ("batches", "windows", "imports")
PATIENCE = 900.0
IDLE_ROUNDS, IDLE_SECONDS = 4, 8.0
PAUSE = 2.0
"""Seconds between two questions to the API server, each of which costs it processor time."""

MOST = {
    "ingest_task_instances_per_asset_1k": 0.06,
    "ingest_cpu_seconds_per_asset_1k_vs_one_task_each": 0.03,
    "again_task_instances_per_window": 2,
    "again_cpu_vs_first": 0.2,
    "ingest_requests_per_asset_10k": 1.0,
    "ingest_requests_per_asset_10k_vs_one": 0.2,
    "other_feed_seconds_to_start_beside_10k": 60,
    "housekeeping_seconds_to_start_beside_10k": 60,
}


@dataclass(frozen=True)
class Cost:
    """Processor seconds, requests to Kaltura, and the number of task instances that were started."""

    seconds: float
    requests: int
    instances: int


class Meter:
    """Measures the processor time of a deployment beyond what it uses while no task runs."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self.idle = 0.0
        # The first of them are still busy with starting.
        self.idle = min(self._rate() for _ in range(IDLE_ROUNDS))

    def _rate(self) -> float:
        self.start()
        end = time.monotonic() + IDLE_SECONDS
        _until(self._live, "nothing", lambda: bool(_state(self._live, "few")) and time.monotonic() > end)
        seconds, _ = self.stop()
        return seconds / (time.monotonic() - self._began)

    def start(self) -> None:
        """Begin to measure."""
        self._began = time.monotonic()
        self._processor, self._requests = _processor_seconds(self._live), self._live.control.state()["requests"]

    def stop(self) -> tuple[float, int]:
        """Return processor seconds and requests since the start."""
        idle = self.idle * (time.monotonic() - self._began)
        requests = self._live.control.state()["requests"] - self._requests
        return _processor_seconds(self._live) - self._processor - idle, requests


def measure(phases: Sequence[str] = PHASES) -> Iterator[dict[str, float]]:
    """Yield the figures of one kind of run after the other."""
    sys.path.insert(0, str(ROOT))
    from tests.integration.scheduler.live import deployed

    # An installed package is compiled too.
    compileall.compile_dir(ROOT / "plugins", quiet=1)
    with TemporaryDirectory() as folder, deployed(Path(folder), _feeds) as live:
        meter = Meter(live)
        print(f"  idle: {meter.idle:.3f} processor seconds a second", file=sys.stderr, flush=True)
        for phase in phases:
            yield from {"batches": _batches, "windows": _windows, "imports": _imports}[phase](live, meter)


def _feeds(bucket: str, site: str) -> list[dict[str, Any]]:
    day = "{{ data_interval_start | ds }}"

    def feed(name: str, uri: str, **fields: Any) -> dict[str, Any]:
        source = {"type": "s3_prefix", "uri": f"s3://{bucket}/{uri}/"}
        return {"name": name, "start_date": "2024-03-01", "end_date": "2024-12-31", "source": source, **fields}

    return [
        feed("few", "few", schedule=None, batch_size=1),
        feed("many", "many", schedule=None),
        feed("windows", f"windows/{day}", max_active_runs=4),
        feed("alone", "alone", schedule=None, transfer="import"),
        feed("imports", "imports", schedule=None, transfer="import"),
        feed("neighbour", "neighbour", schedule=None),
    ]


def _fill(live: Live, prefix: str, count: int, length: int) -> None:
    from tests.integration.scheduler.live import picture

    keys = [f"{prefix}/{number:05}.png" for number in range(count)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: live.put(key, picture(length, hash(key))), keys))


def _run(live: Live, meter: Meter, name: str, count: int) -> Cost:
    """Run a feed once over that many new objects."""
    _fill(live, name, count, LENGTH)
    meter.start()
    run = live.start(f"kaltura_feed_{name}")
    _until(live, f"the run of {name}", lambda: run.state in ("success", "failed"))
    return _cost(meter, run, count)


def _cost(meter: Meter, run: Run, count: int) -> Cost:
    seconds, requests = meter.stop()
    summary = run.xcom("summary")
    if run.state != "success" or summary["new"] != count:
        raise RuntimeError(f"{run.dag_id}: {run.state}, {summary['new']} of {count} are new")
    cost = Cost(seconds, requests, _started(_instances(run.live, run.dag_id, run.run_id)))
    print(f"  {run.dag_id}: {cost}", file=sys.stderr, flush=True)
    return cost


def _batches(live: Live, meter: Meter) -> Iterator[dict[str, float]]:
    """Ingest few objects with a task for each, and many in batches."""
    few = _run(live, meter, "few", FEW)
    yield {"ingest_cpu_seconds_per_asset_10_one_task_each": few.seconds / FEW}
    many = _run(live, meter, "many", MANY)
    yield {
        "ingest_cpu_seconds_per_asset_1k": many.seconds / MANY,
        "ingest_cpu_seconds_per_asset_1k_vs_one_task_each": many.seconds / MANY / (few.seconds / FEW),
        "ingest_task_instances_per_asset_1k": many.instances / MANY,
    }


def _imports(live: Live, meter: Meter) -> Iterator[dict[str, float]]:
    """Let Kaltura import 10,000 objects, and start a feed and the housekeeping beside that."""
    alone = _run(live, meter, "alone", 1)
    yield {"ingest_requests_per_asset_import_alone": alone.requests}
    _fill(live, "imports", IMPORTS, 2000)
    _fill(live, "neighbour", 1, 2000)
    meter.start()
    began = time.monotonic()
    run = live.start("kaltura_feed_imports")
    _until(live, "the first batches", lambda: len(run.running("batch.ingest")) >= 4)
    yield {
        "other_feed_seconds_to_start_beside_10k": _seconds_to_start(live, "kaltura_feed_neighbour"),
        "housekeeping_seconds_to_start_beside_10k": _seconds_to_start(live, "kaltura_housekeeping"),
    }
    _until(live, "the run of imports", lambda: run.state in ("success", "failed"))
    seconds = time.monotonic() - began
    cost = _cost(meter, run, IMPORTS)
    yield {
        "ingest_seconds_10k_imports": seconds,
        "ingest_cpu_seconds_per_asset_10k": cost.seconds / IMPORTS,
        "ingest_task_instances_per_asset_10k": cost.instances / IMPORTS,
        "ingest_requests_per_asset_10k": cost.requests / IMPORTS,
        "ingest_requests_per_asset_10k_vs_one": cost.requests / IMPORTS / alone.requests,
    }


def _seconds_to_start(live: Live, dag_id: str) -> float:
    began = time.monotonic()
    run = live.start(dag_id)
    _until(live, f"the start of {dag_id}", lambda: bool(run.started()))
    return time.monotonic() - began


def _windows(live: Live, meter: Meter) -> Iterator[dict[str, float]]:
    """Backfill windows, and once more when everything is there."""
    days = [f"2024-03-{day:02}" for day in range(1, WINDOWS + 1)]
    for day in days:
        _fill(live, f"windows/{day}", ITEMS, 2000)
    first, again = _backfilled(live, meter, days, "none"), _backfilled(live, meter, days, "completed")
    yield {
        "first_task_instances_per_window": first.instances / WINDOWS,
        "again_task_instances_per_window": again.instances / WINDOWS,
        "first_cpu_seconds_per_window": first.seconds / WINDOWS,
        "again_cpu_seconds_per_window": again.seconds / WINDOWS,
        "again_cpu_vs_first": again.seconds / first.seconds,
    }


def _backfilled(live: Live, meter: Meter, days: list[str], again: str) -> Cost:
    body = {
        "dag_id": "kaltura_feed_windows",
        "from_date": f"{days[0]}T00:00:00Z",
        "to_date": f"{days[-1]}T00:00:00Z",
        "max_active_runs": 4,
        "reprocess_behavior": again,
    }
    meter.start()
    backfill = live.airflow.send("POST", "backfills", body)["id"]
    _until(live, "a backfill", _completed(live, backfill))
    seconds, requests = meter.stop()
    found = [ti for run in _runs(live) for ti in _instances(live, "kaltura_feed_windows", run["dag_run_id"])]
    # Airflow keeps instances of a mapped task that the repeated run does not have any more as "removed".
    failed = [ti["task_id"] for ti in found if ti["state"] not in ("success", "skipped", "removed")]
    if failed:
        raise RuntimeError(f"tasks of the backfill failed: {failed}")
    cost = Cost(seconds, requests, _started(found))
    print(f"  {len(days)} windows: {cost}", file=sys.stderr, flush=True)
    return cost


def _completed(live: Live, backfill: int) -> Callable[[], bool]:
    return lambda: (
        bool(live.airflow.get(f"backfills/{backfill}")["completed_at"])
        and all(run["state"] in ("success", "failed") for run in _runs(live))
    )


def _runs(live: Live) -> list[dict[str, Any]]:
    found = live.airflow.get("dags/kaltura_feed_windows/dagRuns", run_type="backfill", limit=100)["dag_runs"]
    return [dict(run) for run in found]


def _state(live: Live, name: str) -> str:
    return str(live.airflow.get(f"dags/kaltura_feed_{name}/dagRuns", limit=1))


def _instances(live: Live, dag_id: str, run_id: str) -> list[dict[str, Any]]:
    """Return all task instances of a run. Airflow returns at most 100 at a time."""
    found: list[dict[str, Any]] = []
    while True:
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances"
        page = live.airflow.get(path, limit=100, offset=len(found))
        found += map(dict, page["task_instances"])
        if len(found) >= page["total_entries"]:
            return found


def _started(instances: list[dict[str, Any]]) -> int:
    # Airflow sets both times of an instance that it skips without starting it.
    started = [ti for ti in instances if ti["start_date"] is not None and ti["pid"] is not None]
    return sum(ti["state"] != "removed" for ti in started)


def _until(live: Live, what: str, ended: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not ended():
        live.airflow.processes.check()
        if time.monotonic() > end:
            raise TimeoutError(f"waited {PATIENCE:.0f} s for {what}")
        time.sleep(PAUSE)


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
    for figures in measure(sys.argv[1:] or PHASES):
        print(figures, flush=True)
