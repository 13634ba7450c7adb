"""The work in progress: uploads with their progress, and entries that Kaltura has not finished."""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from airflow.models.dagrun import DagRun
from airflow.models.task_state_store import TaskStateStoreModel
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XCOM_RETURN_KEY, XComModel
from airflow.utils.session import create_session
from sqlalchemy import select, tuple_

from kaltura_provider.api.enums import EntryStatus
from kaltura_provider.board.dags import connection_of
from kaltura_provider.board.entries import ENTRIES
from kaltura_provider.board.records import INTERVAL, RECORDS
from kaltura_provider.board.text import file_name
from kaltura_provider.feeds.tasks.pipeline import GROUP
from kaltura_provider.hooks.task_state import PROGRESS_KEY
from kaltura_provider.waiting.conditions.stuck import entry_hint, entry_patience

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from kaltura_provider.waiting.snapshot import EntrySnapshot

__all__ = ["ACTIVITY", "INGEST", "Activity", "ActivityReader", "Upload", "Waiting"]

INGEST: Final = f"{GROUP}.ingest"
READY: Final = f"{GROUP}.ready"

_WAITING_STATES = ("deferred", "running", "up_for_reschedule", "queued", "scheduled")
_MAX = 500


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload. Sizes are in bytes, ``rate`` in bytes per second, ``left`` in seconds."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    name: str
    sent: int
    size: int
    percent: float
    rate: float
    left: float | None
    silent: float
    """Seconds since the task reported its progress."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An entry that a run waits for.

    :param status: Kaltura's status; empty if Kaltura could not be asked.
    :param age: seconds since the wait began.
    :param hint: if the entry seems to be stuck, the usual cause and what to do.
    """

    dag_id: str
    run_id: str
    map_index: int
    entry_id: str
    name: str
    status: str
    age: float
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Activity:
    """The uploads that are under way and the entries that runs wait for, at one moment.

    :param queued: the number of batches per DAG that wait for a free worker.
    :param problems: why Kaltura could not be asked about a run, by the ids of its DAG and the run.
    """

    uploads: tuple[Upload, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    queued: Mapping[str, int] = field(default_factory=dict)
    problems: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def of(self, dag_ids: frozenset[str]) -> Activity:
        """Return the part that belongs to these DAGs."""
        return Activity(
            tuple(upload for upload in self.uploads if upload.dag_id in dag_ids),
            tuple(waiting for waiting in self.waiting if waiting.dag_id in dag_ids),
            {dag_id: count for dag_id, count in self.queued.items() if dag_id in dag_ids},
            {run: problem for run, problem in self.problems.items() if run[0] in dag_ids},
        )

    def of_run(self, run_id: str) -> Activity:
        """Return the part that belongs to a run."""
        return Activity(
            tuple(upload for upload in self.uploads if upload.run_id == run_id),
            tuple(waiting for waiting in self.waiting if waiting.run_id == run_id),
            {},
            {run: problem for run, problem in self.problems.items() if run[1] == run_id},
        )


class ActivityReader:
    """Reads what is under way for everybody, and remembers it for a few seconds. Safe to use from several threads."""

    def __init__(self, interval: float = INTERVAL) -> None:
        self.interval = interval
        self._current = Activity()
        self._due = 0.0
        self._lock = threading.Lock()

    def current(self, readable: frozenset[str]) -> Activity:
        """Return what is under way in the DAGs that a user may read."""
        with self._lock:
            if time.monotonic() >= self._due:
                dag_ids = RECORDS.dag_ids()
                with create_session() as session:
                    self._current = _read(session, dag_ids)
                self._due = time.monotonic() + self.interval
            return self._current.of(readable)

    def forget(self) -> None:
        """Read again with the next request."""
        self._due = 0.0


ACTIVITY: Final = ActivityReader()
"""What is under way, as this process has read it."""


def _read(session: Session, dag_ids: frozenset[str]) -> Activity:
    running: Sequence[Any] = session.execute(
        select(
            TaskInstance.dag_id,
            TaskInstance.run_id,
            TaskInstance.task_id,
            TaskInstance.map_index,
            TaskInstance.state,
            TaskInstance.start_date,
            DagRun.id,
            DagRun.conf,
        )
        .join(DagRun, (DagRun.dag_id == TaskInstance.dag_id) & (DagRun.run_id == TaskInstance.run_id))
        .where(
            TaskInstance.dag_id.in_(dag_ids),
            DagRun.state.in_(("running", "queued")),
            TaskInstance.state.in_((*_WAITING_STATES, "up_for_retry")),
        )
        .limit(_MAX * 4)
    ).all()
    uploading = [row for row in running if str(row.state) == "running" and row.task_id != READY]
    waiting = [row for row in running if row.task_id == READY and str(row.state) in _WAITING_STATES]
    queued: dict[str, int] = defaultdict(int)
    for row in running:
        if row.task_id == INGEST and str(row.state) != "running":
            queued[row.dag_id] += 1
    found, problems = _waiting(session, waiting[:_MAX])
    return Activity(tuple(_uploads(session, uploading[:_MAX])), tuple(found), dict(queued), problems)


def _uploads(session: Session, rows: Sequence[Any]) -> list[Upload]:
    if not rows:
        return []
    keys = {(row.id, row.task_id, row.map_index): row for row in rows}
    model = TaskStateStoreModel
    stored = session.execute(
        select(model.dag_run_id, model.task_id, model.map_index, model.value, model.updated_at).where(
            model.key == PROGRESS_KEY, tuple_(model.dag_run_id, model.task_id, model.map_index).in_(list(keys))
        )
    )
    uploads = []
    for found in stored:
        row = keys[(found.dag_run_id, found.task_id, found.map_index)]
        if row.start_date and found.updated_at < row.start_date:
            continue  # an earlier attempt reported it
        silent = (dt.datetime.now(dt.UTC) - found.updated_at).total_seconds()
        said = json.loads(found.value)
        uploads += [_upload(row, one, silent) for one in said or () if isinstance(one, dict)]
    return sorted(uploads, key=lambda upload: (upload.dag_id, upload.run_id, upload.map_index, upload.name))


def _upload(row: Any, said: Mapping[str, Any], silent: float) -> Upload:
    return Upload(
        dag_id=row.dag_id,
        run_id=row.run_id,
        task_id=row.task_id,
        map_index=row.map_index,
        name=str(said.get("name") or ""),
        sent=int(said.get("bytes") or 0),
        size=int(said.get("size") or 0),
        percent=float(said.get("percent") or 0),
        rate=float(said.get("rate") or 0),
        left=said.get("seconds_left"),
        silent=silent,
    )


def _waiting(session: Session, rows: Sequence[Any]) -> tuple[list[Waiting], dict[tuple[str, str], str]]:
    """Return the entries that tasks wait for, and the problems of connections that could not be used."""
    references = _references(session, rows)
    by_connection: dict[str, set[str]] = defaultdict(set)
    # People choose a connection for each run of the trigger form.
    connections = {
        run.id: connection_of(session, run.dag_id, run.conf) for run in {row.id: row for row in rows}.values()
    }
    for row in rows:
        by_connection[connections[row.id]] |= {ref["entry_id"] for ref in references[(row.id, row.map_index)]}
    seen = {conn_id: ENTRIES.look(conn_id, ids) for conn_id, ids in by_connection.items()}
    problems = {(row.dag_id, row.run_id): problem for row in rows if (problem := seen[connections[row.id]].problem)}
    found = []
    for row in rows:
        entries = seen[connections[row.id]].entries
        for ref in references[(row.id, row.map_index)]:
            entry = entries.get(ref["entry_id"])
            if entry is not None and entry.status == EntryStatus.READY:
                continue
            found.append(_one(row, ref, entry))
    return found, problems


def _one(row: Any, ref: Mapping[str, Any], entry: EntrySnapshot | None) -> Waiting:
    age = (dt.datetime.now(dt.UTC) - row.start_date).total_seconds() if row.start_date else 0.0
    stuck = entry is not None and age > entry_patience(entry)
    return Waiting(
        dag_id=row.dag_id,
        run_id=row.run_id,
        map_index=row.map_index,
        entry_id=str(ref["entry_id"]),
        name=str((entry and entry.name) or ref.get("name") or file_name(str(ref.get("uri") or ""))),
        status=entry.describe if entry is not None else "",
        age=age,
        hint=entry_hint(entry) if stuck and entry is not None else "",
    )


def _references(session: Session, rows: Sequence[Any]) -> dict[tuple[int, int], list[dict[str, Any]]]:
    """Return the references that each waiting task was given and that have an entry."""
    found: dict[tuple[int, int], list[dict[str, Any]]] = {(row.id, row.map_index): [] for row in rows}
    if not rows:
        return found
    stored = session.execute(
        select(XComModel.dag_run_id, XComModel.map_index, XComModel.value).where(
            XComModel.task_id == INGEST,
            XComModel.key == XCOM_RETURN_KEY,
            XComModel.dag_run_id.in_({row.id for row in rows}),
        )
    )
    for row in stored:
        key = (row.dag_run_id, row.map_index)
        result = XComModel.deserialize_value(row)
        if key in found and isinstance(result, list):
            found[key] = [ref for ref in result if isinstance(ref, dict) and _is_awaited(ref)]
    return found


def _is_awaited(ref: Mapping[str, Any]) -> bool:
    return bool(ref.get("entry_id")) and ref.get("state") not in ("failed", "skipped")
