"""The pool of ingests: the plugin creates it, and all tasks of feeds and of the trigger form are in it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from kaltura_provider.hooks.pool import pool_slots, run_share
from kaltura_provider.pool_listener import PoolListener

LISTENER = PoolListener()
LISTENERS = "['NoteListener', 'PoolListener', 'PreloadListener']"
FEED = {
    "name": "news",
    "start_date": "2024-03-01",
    "source": {"type": "manifest", "uri": "s3://media/list.csv", "allow": ["delete"]},
}


@pytest.fixture
def pools(airflow_db):
    from airflow.models.pool import Pool
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    def names() -> dict[str, int]:
        with create_session() as session:
            return {pool.pool: pool.slots for pool in Pool.get_pools(session=session)}

    def clear() -> None:
        with create_session() as session:
            session.execute(delete(Pool).where(Pool.pool != Pool.DEFAULT_POOL_NAME))

    clear()
    yield names
    clear()


SCHEDULER = """
import os, sys
sys.argv = ["airflow", *sys.argv[1:]]
from airflow.jobs.job import Job
from airflow.dag_processing.dagbag import DagBag
from airflow.listeners.listener import get_listener_manager

Job()  # as each part of Airflow does when it starts
Job()
print(sorted(type(one).__name__ for one in get_listener_manager().pm.get_plugins()), flush=True)
if not os.fork():  # as the LocalExecutor does, whose processes then read DAG files
    print(DagBag(os.environ["FOLDER"]).import_errors, flush=True)
    print(["preloaded"] if "kaltura_provider.ingest.send" in sys.modules else [], flush=True)
    os._exit(0)
os.wait()
"""
ENDS_IN_TRIGGERER = """
import datetime
from airflow.providers.standard.sensors.date_time import DateTimeSensorAsync
from airflow.sdk import DAG

with DAG("of_somebody_else", schedule=None):
    DateTimeSensorAsync(task_id="wait", target_time="2024-03-01", end_from_trigger=True)
"""


def start(part: str, folder: Path, executor: str = "LocalExecutor") -> list[str]:
    """Start a part of Airflow, and have a process that it forks read DAG files.

    Return its listeners, the import errors, and whether the forked process has the modules of tasks.
    """
    (folder / "dag.py").write_text(ENDS_IN_TRIGGERER)
    env = os.environ | {"FOLDER": str(folder), "AIRFLOW__CORE__EXECUTOR": executor}
    command = [sys.executable, "-W", "ignore", "-c", SCHEDULER, *part.split()]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if line[0] in "[{"]


def test_the_scheduler_creates_the_pool_once_when_it_starts(pools, tmp_path: Path) -> None:
    assert start("scheduler", tmp_path) == [LISTENERS, "{}", "['preloaded']"]
    assert pools()["kaltura"] == pool_slots()
    assert len(pools()) == 2


def test_no_process_that_reads_dag_files_has_listeners(pools, tmp_path: Path) -> None:
    # Airflow rejects DAGs with end_from_trigger in a process that has listeners, whose DAGs they may be.
    assert start("dag-processor", tmp_path) == ["[]", "{}", "[]"]
    assert set(pools()) == {"default_pool"}


def test_a_scheduler_whose_tasks_run_elsewhere_does_not_import_their_modules(pools, tmp_path: Path) -> None:
    assert start("scheduler", tmp_path, "CeleryExecutor") == [LISTENERS, "{}", "[]"]


def test_a_run_whose_pool_is_missing_gets_it(pools, deployment) -> None:
    dag = deployment.feed(**FEED, pool="nightly")
    LISTENER.on_dag_run_running(SimpleNamespace(dag=dag), "started")
    assert set(pools()) == {"default_pool", "nightly"}


def test_runs_of_other_dags_are_none_of_its_business(pools) -> None:
    dag = SimpleNamespace(tags={"other"}, tasks=[SimpleNamespace(pool="theirs")])
    LISTENER.on_dag_run_running(SimpleNamespace(dag=dag), "started")
    assert set(pools()) == {"default_pool"}


def test_all_tasks_are_in_one_pool(deployment, monkeypatch) -> None:
    def used(dag) -> set[str]:
        return {task.pool for task in dag.tasks}

    assert used(deployment.feed(**FEED)) == {"kaltura"}
    assert used(deployment.form()) == {"kaltura"}
    assert used(deployment.feed(**FEED, pool="nightly")) == {"nightly"}
    monkeypatch.setenv("KALTURA_POOL", "media")
    assert used(deployment.feed(**FEED)) == {"media"}
    assert used(deployment.form()) == {"media"}


def test_one_run_leaves_a_part_of_the_pool_to_others(monkeypatch) -> None:
    for parallelism in (1, 8, 32, 128):
        monkeypatch.setenv("AIRFLOW__CORE__PARALLELISM", str(parallelism))
        assert 1 <= run_share(1000) < pool_slots()
        assert pool_slots() < parallelism or parallelism == 1
    assert run_share(8) == 8
