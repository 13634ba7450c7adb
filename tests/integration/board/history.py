"""Runs of feeds in Airflow's database, as if a scheduler had run them."""

from __future__ import annotations

import datetime as dt
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db
from airflow.models.dag_version import DagVersion
from airflow.models.dagbag import DBDagBag
from airflow.models.dagrun import DagRun
from airflow.models.task_state_store import TaskStateStoreModel
from airflow.models.taskinstance import TaskInstance
from airflow.models.taskmap import TaskMap
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, TaskInstanceState
from airflow.utils.types import DagRunTriggeredByType, DagRunType
from sqlalchemy import delete

__all__ = ["History", "arrived", "failed"]

GROUP = "batch"


def arrived(uri: str, number: int, host: str = "http://cdn.example", **values: Any) -> dict[str, Any]:
    """An item of a summary that was brought in."""
    entry = f"0_{number:08}"
    urls = {
        "console_url": f"{host}/console/{entry}",
        "playback_url": f"{host}/play/{entry}.mp4",
        "thumbnail_url": f"{host}/thumb/{entry}.jpg",
        "source_url": f"{host}/source/{entry}",
    }
    said = {"uri": uri, "size": 1_000_000 * number, "duration": 60, "entry_id": entry, "status": "ready", "new": True}
    return {"name": uri.rpartition("/")[2], "flavors": ["source", "720p 900k"], **said, **urls, **values}


def failed(uri: str, reason: str = "the object is gone", batch: int | None = 0, **values: Any) -> dict[str, Any]:
    """An item of a summary that was not brought in."""
    return {"uri": uri, "step": "ingest", "reason": reason, "retry_helps": True, "batch": batch, **values}


@dataclass
class History:
    """Writes feeds and their runs.

    :param folder: a folder for the files of feeds.
    """

    folder: Path
    _dags: dict[str, Any] = field(default_factory=dict)

    def feeds(self, *names: str, **fields: Any) -> None:
        """Define feeds, as Airflow's DAG processor stores them."""
        self.folder.mkdir(exist_ok=True)
        for name in names:
            source = {"type": "s3_prefix", "uri": f"s3://media/{name}/{{{{ data_interval_start | ds }}}}/"}
            said = {"name": name, "description": f"Films of {name}", "start_date": "2026-01-01", "source": source}
            (self.folder / f"{name}.yaml").write_text(yaml.safe_dump({**said, **fields}))
        self.store()

    def store(self) -> None:
        """Store every DAG of the DAG folder."""
        os.environ["KALTURA_FEEDS_FOLDER"] = str(self.folder)
        manager = DagBundlesManager()
        manager.sync_bundles_to_db()
        for bundle in manager.get_all_dag_bundles():
            bundle.initialize()
            bag = BundleDagBag(dag_folder=bundle.path, bundle_path=bundle.path, bundle_name=bundle.name)
            sync_bag_to_db(bag, bundle.name, bundle.version)

    def run(
        self,
        feed: str,
        day: dt.date,
        *,
        assets: list[dict[str, Any]] | None = None,
        failures: list[dict[str, Any]] | None = None,
        state: str | None = None,
        result: dict[str, Any] | None = None,
        batches: int = 1,
    ) -> str:
        """Store a run of a feed for a day with what its summary says, and return its id."""
        dag_id = f"kaltura_feed_{feed}"
        start = dt.datetime.combine(day, dt.time(), dt.UTC)
        end = start + dt.timedelta(days=1)
        run_id = f"scheduled__{end.isoformat()}"
        state = state or ("failed" if failures else "success")
        with create_session() as session:
            dag: Any = DBDagBag().get_latest_version_of_dag(dag_id, session=session)
            run = dag.create_dagrun(
                run_id=run_id,
                logical_date=start,
                data_interval=(start, end),
                run_after=end,
                run_type=DagRunType.SCHEDULED,
                triggered_by=DagRunTriggeredByType.TEST,
                state=DagRunState(state),
                session=session,
            )
            if state in ("success", "failed"):
                run.end_date = end + dt.timedelta(hours=1)
            self._expand(session, dag, run, batches, bool(failures))
        if result is None and (assets is not None or failures is not None):
            new = sum(bool(asset["new"]) for asset in assets or ())
            found = len(assets or ()) - new
            result = {"assets": assets or [], "failed": failures or [], "new": new, "found": found, "left_out": {}}
        # What the tasks of the batches are mapped over.
        XComModel.set("return_value", [[]] * batches, dag_id=dag_id, task_id="discover", run_id=run_id)
        with create_session() as session:
            place = {"dag_id": dag_id, "task_id": "discover", "run_id": run_id, "map_index": -1}
            session.add(TaskMap(**place, length=batches, keys=None))
        if result is not None:
            XComModel.set("return_value", result, dag_id=dag_id, task_id="summary", run_id=run_id)
        return run_id

    def quick_run(self, feed: str, day: dt.date, number: int, assets: list[dict[str, Any]]) -> None:
        """Store a run with nothing but its summary. Many runs may be of one day."""
        dag_id = f"kaltura_feed_{feed}"
        start = dt.datetime.combine(day, dt.time(), dt.UTC)
        run_id = f"scheduled__{number}"
        with create_session() as session:
            run = DagRun(
                dag_id=dag_id,
                run_id=run_id,
                logical_date=start + dt.timedelta(microseconds=number),
                data_interval=(start, start + dt.timedelta(days=1)),
                run_after=start + dt.timedelta(days=1),
                run_type=DagRunType.SCHEDULED,
                state=DagRunState.SUCCESS,
                triggered_by=DagRunTriggeredByType.TEST,
            )
            run.end_date = start + dt.timedelta(hours=1)
            session.add(run)
            session.flush()
            dag: Any = self._dag(dag_id)
            version = DagVersion.get_latest_version(dag_id, session=session)
            ti = TaskInstance(dag.get_task("summary"), run_id=run_id, dag_version_id=version.id)
            ti.state = TaskInstanceState.SUCCESS
            session.add(ti)
            session.flush()
            result = {"assets": assets, "failed": [], "new": len(assets), "found": 0, "left_out": {}}
            names = {"dag_id": dag_id, "run_id": run_id, "task_id": "summary", "key": "return_value"}
            session.add(XComModel(dag_run_id=run.id, value=result, **names))

    def _dag(self, dag_id: str) -> Any:
        if dag_id not in self._dags:
            with create_session() as session:
                self._dags[dag_id] = DBDagBag().get_latest_version_of_dag(dag_id, session=session)
        return self._dags[dag_id]

    def _expand(self, session: Any, dag: Any, run: DagRun, batches: int, fails: bool) -> None:
        for ti in run.get_task_instances(session=session):
            ti.state = TaskInstanceState.FAILED if fails and ti.task_id == "summary" else TaskInstanceState.SUCCESS
            if not ti.task_id.startswith(f"{GROUP}."):
                continue
            ti.map_index = 0
            for number in range(1, batches):
                task = dag.get_task(ti.task_id)
                copy = TaskInstance(task, run_id=run.run_id, map_index=number, dag_version_id=ti.dag_version_id)
                copy.state = TaskInstanceState.SUCCESS
                session.add(copy)

    def uploading(self, feed: str, run_id: str, progress: dict[str, Any], map_index: int = 0) -> None:
        """Let an upload of a run be under way."""
        with create_session() as session:
            run = _run(session, feed, run_id)
            ti = _instance(session, run, "ingest", map_index)
            ti.state = TaskInstanceState.RUNNING
            ti.start_date = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)
            ids = {"dag_run_id": run.id, "task_id": ti.task_id, "map_index": map_index, "key": "kaltura_progress"}
            session.execute(delete(TaskStateStoreModel).filter_by(**ids))
            names = {"dag_id": run.dag_id, "run_id": run.run_id, "value": json.dumps([progress])}
            session.add(TaskStateStoreModel(**ids, **names))

    def waiting(
        self, feed: str, run_id: str, references: list[dict[str, Any]], minutes: float, map_index: int = 0
    ) -> None:
        """Let a run wait for entries since some minutes."""
        with create_session() as session:
            run = _run(session, feed, run_id)
            ti = _instance(session, run, "ready", map_index)
            ti.state = TaskInstanceState.DEFERRED
            ti.start_date = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=minutes)
            names = {"dag_id": run.dag_id, "task_id": f"{GROUP}.ingest", "map_index": map_index}
        XComModel.set("return_value", references, run_id=run_id, **names)

    def states(self, feed: str, run_id: str) -> dict[str, str]:
        """Return the state of each task of a run, and the run's own as ``run``."""
        with create_session() as session:
            run = _run(session, feed, run_id)
            states = {f"{ti.task_id}[{ti.map_index}]": str(ti.state) for ti in run.get_task_instances(session=session)}
            return {**states, "run": str(run.state)}

    def number(self, feed: str, run_id: str) -> int:
        """Return the number of a run in the database."""
        with create_session() as session:
            return int(_run(session, feed, run_id).id)

    def run_id(self, day: dt.date) -> str:
        """Return the id of the run of a day."""
        return (
            f"scheduled__{dt.datetime.combine(day, dt.time(), dt.UTC) + dt.timedelta(days=1):%Y-%m-%dT%H:%M:%S+00:00}"
        )

    def remove(self, feed: str, day: dt.date) -> None:
        """Delete the run of a day, if there is one."""
        with create_session() as session:
            session.execute(delete(DagRun).filter_by(dag_id=f"kaltura_feed_{feed}", run_id=self.run_id(day)))

    def clear(self) -> None:
        """Delete all runs."""
        with create_session() as session:
            session.execute(delete(DagRun))


def _run(session: Any, feed: str, run_id: str) -> DagRun:
    found: DagRun = session.query(DagRun).filter_by(dag_id=f"kaltura_feed_{feed}", run_id=run_id).one()
    return found


def _instance(session: Any, run: DagRun, task: str, map_index: int) -> TaskInstance:
    (found,) = [
        ti
        for ti in run.get_task_instances(session=session)
        if ti.task_id == f"{GROUP}.{task}" and ti.map_index == map_index
    ]
    return found
