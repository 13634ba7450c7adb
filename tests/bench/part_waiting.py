"""What waiting costs: a real triggerer and the sandbox, entries becoming READY over two minutes.

    python tests/bench/part_waiting.py                 1,000 shared waits against 250 that poll alone
    python tests/bench/part_waiting.py --waits 200 --alone 50 --spread 30

Task instances are put into the database deferred, with their triggers, as the scheduler leaves them; then
``airflow triggerer`` runs. "Event" is the moment the triggerer has handed the task back (its state is no longer
deferred); with ``end_from_trigger`` that is the task's end. A run apart (``--ended``, fewer waits) adds a scheduler and
workers, and measures to the task's end there. Calls are compared for each wait: a wait that polls alone makes the same
calls however many others there are, and a thousand of them keep two cores busy with nothing else.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator

BIN = Path(sys.executable).parent
INTERVALS = [[0.0, 5.0], [60.0, 10.0], [600.0, 30.0], [3600.0, 60.0]]
CONNECTION = "kaltura_bench"

DAG_FILE = """
import json, os
from airflow.sdk import DAG
from kaltura_provider.sensors.entry import KalturaEntryReadySensor

with open(os.environ["BENCH_ENTRIES"]) as file:
    entries = json.load(file)
with DAG("bench_waiting", schedule=None, max_active_tasks=2000) as dag:
    KalturaEntryReadySensor.partial(
        task_id="ready", kaltura_conn_id="kaltura_bench", timeout=3600, max_active_tis_per_dag=2000
    ).expand(entry=entries)
"""


@dataclass
class Outcome:
    """One run: calls by name, and for each wait the seconds from READY to its event."""

    waits: int
    calls: dict[str, int]
    delays: list[float]
    cpu_seconds: float
    wall_seconds: float
    pick_up_seconds: float
    to_the_end: list[float]

    @property
    def total_calls(self) -> int:
        return sum(number for name, number in self.calls.items() if name.lower() != "multirequest")

    def summary(self) -> dict[str, float]:
        ended = (
            {
                "median_seconds_to_task_end": round(statistics.median(self.to_the_end), 2),
                "p95_seconds_to_task_end": round(percentile(self.to_the_end, 95), 2),
            }
            if self.to_the_end
            else {}
        )
        return {
            "waits": self.waits,
            "calls_total": self.total_calls,
            "calls_per_wait": round(self.total_calls / self.waits, 4),
            "calls_per_5_s": round(self.total_calls / self.wall_seconds * 5, 2),
            "median_seconds": round(statistics.median(self.delays), 2),
            "p95_seconds": round(percentile(self.delays, 95), 2),
            "max_seconds": round(max(self.delays), 2),
            "triggerer_cpu_seconds": round(self.cpu_seconds, 1),
            "wall_seconds": round(self.wall_seconds, 1),
            "pick_up_seconds": round(self.pick_up_seconds, 1),
            **ended,
        }


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share / 100))]


class Bench:
    """A sandbox, an Airflow home and the entries of one run."""

    def __init__(self, directory: Path, sandbox: Any, waits: int) -> None:
        self.directory = directory
        self.sandbox = sandbox
        self.entries = self._make_entries(waits)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def _make_entries(self, count: int) -> list[str]:
        from kaltura_provider.api.client import KalturaClient
        from kaltura_provider.api.credentials import AuthMethod, Credentials

        credentials = Credentials(self.sandbox.partner_id, AuthMethod.SECRET, self.sandbox.admin_secret)
        made = []
        with KalturaClient(self.sandbox.url, credentials) as client:
            for number in range(count):
                entry = {"objectType": "KalturaMediaEntry", "name": f"wait {number}", "mediaType": 1}
                made.append(str(client.call("media", "add", {"entry": entry})["id"]))
                self.sandbox.control.set_entry(made[-1], status=1, flavorParamsIds="0")
        return made

    def environment(self) -> dict[str, str]:
        """Return the settings of this Airflow, for its processes and this one."""
        (self.directory / "dags").mkdir(parents=True, exist_ok=True)
        (self.directory / "entries.json").write_text(json.dumps(self.entries))
        (self.directory / "dags" / "bench_waiting.py").write_text(DAG_FILE)
        connection = {
            "conn_type": "kaltura",
            "host": self.sandbox.url,
            "login": str(self.sandbox.partner_id),
            "password": self.sandbox.admin_secret,
        }
        return {
            "AIRFLOW_HOME": str(self.directory),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.directory / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(self.directory / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__FERNET_KEY": "",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{self.port}/execution/",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{self.port}",
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
            "AIRFLOW__CORE__PARALLELISM": "8",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.directory}/airflow.db?timeout=60",
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": "0",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            f"AIRFLOW_CONN_{CONNECTION.upper()}": json.dumps(connection),
            "BENCH_ENTRIES": str(self.directory / "entries.json"),
            "PYTHONPATH": str(Path(__file__).parent),
        }

    def defer_all(self, alone: bool) -> None:
        """Put one deferred task instance and its trigger for every entry into the database."""
        from airflow.dag_processing.bundles.manager import DagBundlesManager
        from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db
        from airflow.models.serialized_dag import SerializedDagModel
        from airflow.models.trigger import Trigger
        from airflow.utils.session import create_session
        from airflow.utils.state import DagRunState, TaskInstanceState
        from airflow.utils.types import DagRunTriggeredByType, DagRunType

        manager = DagBundlesManager()
        manager.sync_bundles_to_db()
        for bundle in manager.get_all_dag_bundles():
            folder = bundle.path
            bag = BundleDagBag(dag_folder=folder, bundle_path=folder, bundle_name=bundle.name)
            sync_bag_to_db(bag, bundle.name, bundle.version)
        now = _utcnow()
        with create_session() as session:
            dag = SerializedDagModel.get_dag("bench_waiting", session=session)
            assert dag
            run = dag.create_dagrun(
                run_id=f"bench_{alone}",
                run_after=now,
                run_type=DagRunType.MANUAL,
                triggered_by=DagRunTriggeredByType.TEST,
                state=DagRunState.RUNNING,
                session=session,
            )
            instances = sorted(run.get_task_instances(session=session), key=lambda ti: ti.map_index)
            assert len(instances) == len(self.entries)
            for instance, entry_id in zip(instances, self.entries, strict=True):
                trigger = Trigger.from_object(_trigger(entry_id, alone))
                session.add(trigger)
                session.flush()
                instance.trigger_id = trigger.id
                instance.state = TaskInstanceState.DEFERRED
                instance.start_date = now
                instance.next_method = "execute_complete"
                instance.next_kwargs = {}

    def watch(self, found: dict[int, float], ended: dict[int, float], stop: threading.Event) -> None:
        """Note when each task instance is no longer deferred, and when it has succeeded."""
        from airflow.models.taskinstance import TaskInstance
        from airflow.utils.session import create_session
        from sqlalchemy import select

        while not stop.is_set():
            with create_session() as session:
                states = list(session.execute(select(TaskInstance.map_index, TaskInstance.state)))
            now = time.time()
            for map_index, state in states:
                if state not in (None, "deferred") and map_index >= 0:
                    found.setdefault(map_index, now)
                if state == "success" and map_index >= 0:
                    ended.setdefault(map_index, now)
            time.sleep(0.25)

    def picked_up(self) -> int:
        from airflow.models.trigger import Trigger
        from airflow.utils.session import create_session
        from sqlalchemy import func, select

        with create_session() as session:
            return session.scalar(select(func.count(Trigger.id)).where(Trigger.triggerer_id.is_not(None))) or 0

    def calls(self) -> dict[str, int]:
        """Return the calls so far, without those that made the entries."""
        counted: dict[str, int] = dict(self.sandbox.control.state()["calls"])
        return {name: number for name, number in counted.items() if name.lower() != "media.add"}

    def run(self, alone: bool, spread: float, to_the_end: bool) -> Outcome:
        """Let the entries become READY one after the other while the triggerer runs."""
        self.defer_all(alone)
        found: dict[int, float] = {}
        ended: dict[int, float] = {}
        ready: dict[int, float] = {}
        stop = threading.Event()
        with contextlib.ExitStack() as stack:
            if to_the_end:
                for component in ("api-server", "scheduler"):
                    stack.enter_context(_process(component, self.directory))
                time.sleep(25)
            triggerer = stack.enter_context(_process("triggerer", self.directory))
            began = time.time()
            while self.picked_up() < len(self.entries):
                assert triggerer.is_running()
                time.sleep(0.5)
            pick_up = time.time() - began
            watcher = threading.Thread(target=self.watch, args=(found, ended, stop), daemon=True)
            watcher.start()
            began = time.time()
            for number, entry_id in enumerate(self.entries):
                time.sleep(max(0.0, began + spread * number / len(self.entries) - time.time()))
                self.sandbox.control.set_entry(entry_id, status=2)
                ready[number] = time.time()
            deadline = time.time() + max(60.0, len(self.entries))
            awaited = ended if to_the_end else found
            while len(awaited) < len(self.entries) and time.time() < deadline:
                time.sleep(0.25)
            wall = pick_up + time.time() - began
            cpu = _cpu(triggerer)
            stop.set()
            watcher.join()
        missing = len(self.entries) - len(awaited)
        if missing:
            raise RuntimeError(f"{missing} of {len(self.entries)} waits never ended")
        return Outcome(
            waits=len(self.entries),
            calls=self.calls(),
            delays=[found[number] - ready[number] for number in ready],
            cpu_seconds=cpu,
            wall_seconds=wall,
            pick_up_seconds=pick_up,
            to_the_end=[ended[number] - ready[number] for number in ready] if to_the_end else [],
        )


def _trigger(entry_id: str, alone: bool) -> Any:
    if alone:
        from waiting_alone import PollAloneTrigger

        return PollAloneTrigger(kaltura_conn_id=CONNECTION, entry_id=entry_id, intervals=INTERVALS, since=time.time())
    from kaltura_provider.triggers.entry import KalturaEntryReadyTrigger

    return KalturaEntryReadyTrigger(kaltura_conn_id=CONNECTION, ids=[entry_id], intervals=INTERVALS)


def _utcnow() -> Any:
    from airflow.sdk import timezone

    return timezone.utcnow()


@contextlib.contextmanager
def _process(component: str, directory: Path) -> Iterator[psutil.Process]:
    """Run one Airflow component in a process group of its own."""
    with (directory / f"{component}.log").open("ab") as log:
        started = subprocess.Popen(
            [str(BIN / "airflow"), component],
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=directory,
        )
        try:
            yield psutil.Process(started.pid)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGTERM)
            try:
                started.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(started.pid, signal.SIGKILL)
                started.wait()


def _cpu(process: psutil.Process) -> float:
    total = 0.0
    for one in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            total += times.user + times.system
    return total


def _one_run(how: str, waits: int, spread: float) -> dict[str, float]:
    """Measure in this process, whose Airflow is set up anew."""
    from kaltura_sandbox.sandbox import Sandbox

    directory = Path(tempfile.mkdtemp(prefix="bench-waiting-"))
    try:
        with Sandbox(run_jobs=False) as sandbox:
            bench = Bench(directory, sandbox, waits)
            os.environ.update(bench.environment())
            subprocess.run([str(BIN / "airflow"), "db", "migrate"], check=True, capture_output=True, cwd=directory)
            return bench.run(how == "alone", spread, how == "ended").summary()
    finally:
        if not os.environ.get("BENCH_KEEP"):
            shutil.rmtree(directory, ignore_errors=True)


def run(waits: int = 1000, alone: int = 250, ended: int = 100, spread: float = 120.0) -> Iterator[dict[str, float]]:
    """Measure both ways of waiting, and one with workers."""
    shared_run = _apart("shared", waits, spread)
    alone_run = _apart("alone", alone, spread)
    ended_run = _apart("ended", ended, spread)
    figures = {
        "wait_calls_ratio": round(alone_run["calls_per_wait"] / shared_run["calls_per_wait"], 1),
        "wait_p95_seconds": shared_run["p95_seconds"],
        "wait_interval_seconds": INTERVALS[1][1],
    }
    for name, one_run in (("shared", shared_run), ("alone", alone_run), ("ended", ended_run)):
        figures |= {f"wait_{name}_{key}": value for key, value in one_run.items()}
    yield figures


def missed(found: dict[str, float]) -> list[str]:
    """Return what the figures must show and do not."""
    most = found["wait_interval_seconds"] + 5
    lines = []
    if found["wait_calls_ratio"] < 100:
        lines.append(f"shared waits make only {found['wait_calls_ratio']} times fewer calls, not 100")
    if found["wait_p95_seconds"] > most:
        lines.append(f"p95 from READY to the event is {found['wait_p95_seconds']} s, more than {most} s")
    return lines


def _apart(how: str, waits: int, spread: float) -> dict[str, float]:
    """Measure one way in a process of its own: Airflow reads its settings once."""
    command = [sys.executable, __file__, "--one", how, "--waits", str(waits), "--spread", str(spread)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--waits", type=int, default=1000, help="shared waits (%(default)s)")
    parser.add_argument("--alone", type=int, default=250, help="waits that poll alone (%(default)s)")
    parser.add_argument("--ended", type=int, default=100, help="waits that end on workers (%(default)s)")
    parser.add_argument("--spread", type=float, default=120.0, help="seconds over which entries become READY")
    parser.add_argument("--one", choices=("shared", "alone", "ended"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(_one_run(arguments.one, arguments.waits, arguments.spread)))
        return
    for figures in run(arguments.waits, arguments.alone, arguments.ended, arguments.spread):
        print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
