"""The results of the runs of this package, read from what their summaries store in Airflow's database.

A process reads each run and each result once, and again when it has changed, and keeps what the board shows of it. It
asks the database what has changed at most every few seconds, however many people look. Where there is a long history,
the newest results come first and the others with later requests, so that no request takes long.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from airflow.models.dag import DagModel, DagTag
from airflow.models.dagrun import DagRun
from airflow.models.xcom import XCOM_RETURN_KEY, XComModel
from airflow.utils.session import create_session
from sqlalchemy import select, type_coerce
from sqlalchemy.types import NullType

from kaltura_provider.board.text import feed_name, file_name
from kaltura_provider.feeds.planning.interval import DATE_PARAM, UNTIL_PARAM
from kaltura_provider.feeds.tasks.pipeline import SUMMARY
from kaltura_provider.hooks.border import FAILURE_KEY
from kaltura_provider.pool_listener import TAG

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy.orm import Session

__all__ = ["INTERVAL", "RECORDS", "Arrival", "DryRun", "Failure", "Records", "Run"]

INTERVAL: Final = 5.0
"""Seconds for which what was read is shown."""

log = logging.getLogger(__name__)

_MAX_RUNS = 10_000
_READ_AT_ONCE = 250
_PLAN_FIELDS = ("window", "uri", "name", "decision", "bytes", "entry_id", "reason")
_FINISHED = frozenset({"success", "failed"})


@dataclass(frozen=True, slots=True)
class Arrival:
    """An item that a run brought into Kaltura. ``duration`` is in seconds, a flavor a label such as ``720p 900k``."""

    uri: str
    name: str
    entry_id: str
    size: int
    duration: float | None
    flavors: tuple[str, ...]
    urls: tuple[str, str, str, str]
    """Playback, thumbnail, source file, and the entry in the management console."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An item that a run did not bring in; the whole run if ``uri`` is empty.

    :param batch: the map index of its batch; ``None`` if the run did not store it.
    """

    uri: str
    step: str
    reason: str
    retry_helps: bool
    batch: int | None = None

    @property
    def key(self) -> str:
        """What tells this failure from the others of its run."""
        return f"{zlib.crc32(f'{self.batch}|{self.step}|{self.uri}'.encode()):08x}"


@dataclass(frozen=True, slots=True)
class Run:
    """A run, and what its summary says.

    :param chosen_date: the date that a user chose in the trigger form; empty if none.
    :param chosen_until: the last date, if the user chose several for a dry run.
    :param window: the beginning and end of the run's data interval; ``None`` for a run without one.
    :param at: when it ended, or when it was due.
    :param arrivals: items that it brought in, and ``failures`` those that it did not; at most 500 of each.
    :param new: the number of all items that it brought in. ``size`` is their bytes, ``media`` their seconds.
    :param failed: the number of all failures.
    :param found: the number of items that were in Kaltura before.
    :param left_out: the number of items that the feed ignores.
    :param plan: for a dry run, the number of items per decision.
    """

    id: int
    dag_id: str
    run_id: str
    chosen_date: str
    chosen_until: str
    state: str
    window: tuple[dt.datetime, dt.datetime] | None
    at: dt.datetime
    arrivals: tuple[Arrival, ...] = ()
    failures: tuple[Failure, ...] = ()
    new: int = 0
    failed: int = 0
    size: int = 0
    media: float = 0.0
    found: int = 0
    left_out: int = 0
    plan: Mapping[str, int] | None = None
    there: frozenset[str] = frozenset()
    """The addresses of all items that are in Kaltura after the run."""

    @property
    def feed(self) -> str:
        """The name of the feed; the DAG's id for other DAGs."""
        return feed_name(self.dag_id)

    @property
    def finished(self) -> bool:
        """Whether the run has ended."""
        return self.state in _FINISHED


@dataclass(frozen=True, slots=True)
class DryRun:
    """The plan of a dry run.

    :param rows: at most 500 items, as :meth:`PlannedItem.row` makes them.
    :param windows: for a dry run of several windows, the sums of each, as :meth:`WindowPlan.summary_row` makes them.
    """

    rows: Sequence[Mapping[str, Any]]
    windows: Sequence[Mapping[str, Any]]


@dataclass(slots=True)
class _Read:
    """The part of a run that its summary's result says, and the version of that result."""

    version: Any
    values: dict[str, Any]


@dataclass
class Records:
    """The runs of all DAGs that have the tag ``kaltura`` and a summary. Safe to use from several threads."""

    interval: float = INTERVAL
    _runs: tuple[Run, ...] = ()
    _dag_ids: frozenset[str] = frozenset()
    _results: dict[int, _Read] = field(default_factory=dict)
    _known: dict[int, Run] = field(default_factory=dict)
    _versions: dict[int, Any] = field(default_factory=dict)
    _unread: int = 0
    _due: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def dag_ids(self) -> frozenset[str]:
        """Return the ids of the DAGs."""
        self._refresh()
        return self._dag_ids

    def runs(self, readable: frozenset[str]) -> Sequence[Run]:
        """Return the runs of the DAGs that a user may read, newest first."""
        self._refresh()
        if readable >= self._dag_ids:
            return self._runs
        return [run for run in self._runs if run.dag_id in readable]

    def run(self, dag_id: str, run_id: str) -> Run | None:
        """Return one run, or ``None`` if it does not exist. A run that is not known yet may be new."""
        for fresh in (False, True):
            if fresh:
                self.forget()
            self._refresh()
            for run in self._runs:
                if run.dag_id == dag_id and run.run_id == run_id:
                    return run
        return None

    def by_number(self, number: int) -> Run | None:
        """Return the run with this number in Airflow's database."""
        self._refresh()
        return next((run for run in self._runs if run.id == number), None)

    @property
    def unread(self) -> int:
        """The number of older runs whose results have not been read yet."""
        return self._unread

    def plan(self, session: Session, run: Run) -> DryRun:
        """Return what the summary of a dry run says."""
        row = session.execute(
            select(XComModel.value).where(
                XComModel.dag_run_id == run.id, XComModel.task_id == SUMMARY, XComModel.key == XCOM_RETURN_KEY
            )
        ).first()
        result = XComModel.deserialize_value(row) if row is not None else None
        said = result if isinstance(result, dict) else {}
        rows = [row for row in said.get("rows") or () if isinstance(row, dict)]
        windows = [row for row in said.get("windows") or () if isinstance(row, dict)]
        return DryRun([{name: row.get(name) for name in _PLAN_FIELDS} for row in rows], windows)

    def forget(self) -> None:
        """Read the database again with the next request."""
        self._due = 0.0

    def _refresh(self) -> None:
        if time.monotonic() < self._due:
            return
        with self._lock:
            if time.monotonic() < self._due:
                return
            with create_session() as session:
                self._read(session)
            self._due = time.monotonic() + (self.interval if not self._unread else 0.0)

    def _read(self, session: Session) -> None:
        self._dag_ids = frozenset(
            session.scalars(
                select(DagTag.dag_id)
                .join(DagModel, DagModel.dag_id == DagTag.dag_id)
                .where(DagTag.name == TAG, DagModel.is_stale.is_(False))
            )
        )
        stored = session.execute(
            select(DagRun.id, _as_stored(DagRun.updated_at))
            .where(DagRun.dag_id.in_(self._dag_ids))
            .order_by(DagRun.id.desc())
            .limit(_MAX_RUNS)
        )
        versions: dict[int, Any] = {row[0]: row[1] for row in stored}
        changed = self._read_results(session, list(versions))
        changed |= {
            run for run, version in versions.items() if run not in self._known or self._versions.get(run) != version
        }
        changed |= {run for run, known in self._known.items() if not known.finished}
        gone = self._known.keys() - versions.keys()
        for run in gone:
            del self._known[run]
        self._read_runs(session, changed & versions.keys())
        self._versions = versions
        if changed or gone:
            # The runs of a backfill are due in the past.
            runs = sorted(self._known.values(), key=lambda run: (run.at, run.id), reverse=True)
            self._runs = tuple(runs)

    def _read_runs(self, session: Session, ids: Iterable[int]) -> None:
        for some in _parts(sorted(ids)):
            rows = session.execute(
                select(
                    DagRun.id,
                    DagRun.dag_id,
                    DagRun.run_id,
                    DagRun.run_type,
                    DagRun.state,
                    DagRun.data_interval_start,
                    DagRun.data_interval_end,
                    DagRun.run_after,
                    DagRun.end_date,
                    DagRun.conf,
                ).where(DagRun.id.in_(some))
            ).all()
            failed = [row.id for row in rows if str(row.state) == "failed" and row.id not in self._results]
            reasons = self._reasons(session, failed)
            for row in rows:
                self._known[row.id] = self._run(row, reasons)

    def _read_results(self, session: Session, ids: Sequence[int]) -> set[int]:
        """Read the results that are new or have changed, at most a few hundred of them. Return the runs they are of."""
        versions = session.execute(
            select(XComModel.dag_run_id, _as_stored(XComModel.timestamp)).where(
                XComModel.dag_id.in_(self._dag_ids), XComModel.task_id == SUMMARY, XComModel.key == XCOM_RETURN_KEY
            )
        )
        stored: dict[int, Any] = {row[0]: row[1] for row in versions}
        gone = self._results.keys() - stored.keys()
        for run in gone:
            del self._results[run]
        wanted = [
            run
            for run in ids
            if run in stored and (run not in self._results or self._results[run].version != stored[run])
        ]
        now, later = wanted[:_READ_AT_ONCE], wanted[_READ_AT_ONCE:]
        self._unread = len(later)
        found = session.execute(
            select(XComModel.dag_run_id, XComModel.value).where(
                XComModel.dag_run_id.in_(now), XComModel.task_id == SUMMARY, XComModel.key == XCOM_RETURN_KEY
            )
        )
        for row in found:
            self._results[row.dag_run_id] = _Read(stored[row.dag_run_id], _read_values(row))
        return {*gone, *now}

    def _reasons(self, session: Session, ids: Sequence[int]) -> dict[int, list[Failure]]:
        """Return why runs failed that have no summary."""
        reasons: dict[int, list[Failure]] = {run: [] for run in ids}
        if ids:
            found = session.execute(
                select(XComModel.dag_run_id, XComModel.task_id, XComModel.value).where(
                    XComModel.dag_run_id.in_(ids), XComModel.key == FAILURE_KEY
                )
            )
            for row in found:
                said = XComModel.deserialize_value(row) or {}
                reason = str(said.get("reason") or "")
                reasons[row.dag_run_id].append(Failure("", row.task_id, reason, bool(said.get("retry_helps"))))
        return reasons

    def _run(self, row: Any, reasons: Mapping[int, Sequence[Failure]]) -> Run:
        window = (row.data_interval_start, row.data_interval_end) if row.data_interval_start else None
        values: dict[str, Any] = {}
        if row.id in self._results:
            values = self._results[row.id].values
        elif row.id in reasons:
            whole = Failure("", "", "The run failed before its summary; its tasks' logs say why.", retry_helps=True)
            failures = tuple(reasons[row.id]) or (whole,)
            values = {"failures": failures, "failed": len(failures)}
        return Run(
            id=row.id,
            dag_id=row.dag_id,
            run_id=row.run_id,
            chosen_date=_chosen(row, DATE_PARAM),
            chosen_until=_chosen(row, UNTIL_PARAM),
            state=str(row.state),
            window=window,
            at=row.end_date or row.run_after,
            **values,
        )


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), _READ_AT_ONCE):
        yield ids[start : start + _READ_AT_ONCE]


def _as_stored(moment: Any) -> Any:
    """Return a column of moments as the database driver gives them. Only whether they change matters."""
    return type_coerce(moment, NullType())


def _chosen(row: Any, param: str) -> str:
    """Return what a user chose in the trigger form of a feed."""
    conf = row.conf if isinstance(row.conf, dict) and str(row.run_type) == "manual" else {}
    return str(conf.get(param) or "")


def _read_values(row: Any) -> dict[str, Any]:
    """Return what a summary says; nothing if another DAG with this tag has a task of this name with another result."""
    try:
        return _values(XComModel.deserialize_value(row))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        log.info("The result of run %s is not the summary of an ingest: %r", row.dag_run_id, error)
        return {}


def _values(result: Any) -> dict[str, Any]:
    """Return what a summary says, as fields of a :class:`Run`."""
    if not isinstance(result, dict):
        return {}
    if result.get("dry_run"):
        return {"plan": dict(result.get("plan") or {})}
    assets = [asset for asset in result.get("assets") or () if isinstance(asset, dict)]
    arrivals = tuple(_arrival(asset) for asset in assets if asset.get("new"))
    failures = tuple(_failures(result.get("failed") or ()))
    return {
        "arrivals": arrivals,
        "failures": failures,
        # Earlier versions did not store all of these.
        "new": int(result.get("new", len(arrivals))),
        "failed": int(result.get("failed_count", len(failures))),
        "size": int(result.get("new_bytes", sum(item.size for item in arrivals))),
        "media": float(result.get("new_seconds", sum(item.duration or 0.0 for item in arrivals))),
        "found": int(result.get("found") or 0),
        "left_out": sum(int(count) for count in (result.get("left_out") or {}).values()),
        "there": frozenset(str(asset["uri"]) for asset in assets),
    }


def _arrival(asset: Mapping[str, Any]) -> Arrival:
    uri = str(asset["uri"])
    names = ("playback_url", "thumbnail_url", "source_url", "console_url")
    playback, thumbnail, source, console = (_web(asset.get(name)) for name in names)
    return Arrival(
        uri=uri,
        name=str(asset.get("name") or "") or file_name(uri),
        entry_id=str(asset.get("entry_id") or ""),
        size=int(asset.get("size") or 0),
        duration=asset.get("duration"),
        flavors=tuple(str(label) for label in asset.get("flavors") or ()),
        urls=(playback, thumbnail, source, console),
    )


def _web(url: Any) -> str:
    """Return a web address, and nothing for addresses of other kinds, which could be scripts."""
    text = str(url or "")
    return text if text.startswith(("https://", "http://")) else ""


def _failures(failed: Iterable[Mapping[str, Any]]) -> Iterable[Failure]:
    for item in failed:
        yield Failure(
            uri=str(item["uri"]),
            step=str(item.get("step") or ""),
            reason=str(item.get("reason") or ""),
            retry_helps=bool(item.get("retry_helps")),
            batch=item.get("batch"),
        )


RECORDS: Final = Records()
"""The records of this process."""
