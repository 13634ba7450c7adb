"""The interval a run of a feed ingests, and Airflow's template names for it, in the feed's time zone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pendulum
from airflow.sdk.exceptions import AirflowFailException

if TYPE_CHECKING:
    from airflow.sdk import Context

__all__ = [
    "DATE_PARAM",
    "DRY_RUN_PARAM",
    "Interval",
    "asks_for_interval",
    "feed_context",
    "run_interval",
    "runs_within_a_day",
]

DATE_PARAM = "date"
"""The param by which a run started by hand is told what to ingest."""

DRY_RUN_PARAM = "dry_run"
"""The param of a run that only shows its plan."""

_PREVIOUS = (
    "prev_data_interval_start_success",
    "prev_data_interval_end_success",
    "prev_start_date_success",
    "prev_end_date_success",
)


@dataclass(frozen=True, slots=True)
class Interval:
    """From ``start`` until before ``end``, in the feed's time zone.

    :param reason: why it is this one, where the run's logical date does not say so.
    """

    start: pendulum.DateTime
    end: pendulum.DateTime
    reason: str | None = None

    def __str__(self) -> str:
        """Both moments and the time zone."""
        return f"{self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M} {self.start.timezone_name}"


def run_interval(context: Context, timezone: str) -> Interval:
    """Return what a run ingests.

    A run started by hand ingests what its ``date`` param says; any run with a logical date, the interval that Airflow
    gave it; a run without either, the last interval that had ended when it was started.

    :raises AirflowFailException: the ``date`` param is not a date.
    """
    values = cast("dict[str, Any]", context)
    run = values["dag_run"]
    told = dict(values.get("params") or {}).get(DATE_PARAM)
    if told and run.run_type == "manual":
        return Interval(*_told(str(told), values["dag"].timetable, timezone), f"the param {DATE_PARAM} says {told}")
    if run.data_interval_start is not None:
        return Interval(_local(run.data_interval_start, timezone), _local(run.data_interval_end, timezone))
    after = _local(run.run_after, timezone)
    timetable = _cron_timetable(values["dag"].timetable)
    if timetable is None:
        return Interval(after, after, "the run has no logical date, and the feed has no schedule")
    found = timetable.infer_manual_data_interval(run_after=after)
    return Interval(
        _local(found.start, timezone),
        _local(found.end, timezone),
        "the run has no logical date, so it takes the last interval that has ended",
    )


def asks_for_interval(context: Context) -> bool:
    """Return whether a run is to ingest one interval for certain: it is part of a backfill, or its form says a date."""
    values = cast("dict[str, Any]", context)
    run_type = values["dag_run"].run_type
    told = dict(values.get("params") or {}).get(DATE_PARAM)
    return bool(run_type == "backfill" or (told and run_type == "manual"))


def feed_context(context: Context, timezone: str | None) -> Context:
    """Return a template context whose dates are in a time zone and name the interval of :func:`run_interval`.

    :param timezone: ``None`` leaves the context as it is.
    """
    if timezone is None:
        return context
    import lazy_object_proxy

    values = dict(context)
    interval = run_interval(context, timezone)
    logical = values.get("logical_date")
    moment = interval.start if interval.reason or logical is None else _local(logical, timezone)
    for name in _PREVIOUS:
        if name in values:
            # Each asks Airflow's API when it is used.
            values[name] = lazy_object_proxy.Proxy(lambda value=values[name]: value and _local(value, timezone))
    ds, ts = moment.strftime("%Y-%m-%d"), moment.isoformat()
    values |= {
        "data_interval_start": interval.start,
        "data_interval_end": interval.end,
        "logical_date": moment,
        "ds": ds,
        "ds_nodash": ds.replace("-", ""),
        "ts": ts,
        "ts_nodash": moment.strftime("%Y%m%dT%H%M%S"),
        "ts_nodash_with_tz": ts.replace("-", "").replace(":", ""),
    }
    return cast("Context", values)


def runs_within_a_day(schedule: str | None) -> bool:
    """Return whether a cron schedule has several intervals a day."""
    if schedule is None or schedule.startswith("@"):
        return schedule == "@hourly"
    minute, hour = schedule.split()[:2]
    return not (minute.isdecimal() and hour.isdecimal())


def _local(moment: Any, timezone: str) -> pendulum.DateTime:
    return cast("pendulum.DateTime", pendulum.instance(moment).in_timezone(timezone))


def _cron_timetable(timetable: Any) -> Any:
    """Return the scheduler's side of a DAG's cron timetable; ``None`` for a DAG without a schedule."""
    if not hasattr(timetable, "expression"):
        return None
    from airflow.timetables.interval import CronDataIntervalTimetable

    return CronDataIntervalTimetable(timetable.expression, timetable.timezone)


def _told(text: str, timetable: Any, timezone: str) -> tuple[pendulum.DateTime, pendulum.DateTime]:
    """Return the interval that begins on a day or at a moment, or else the one that it falls into."""
    from airflow.timetables.base import TimeRestriction

    try:
        moment = cast("pendulum.DateTime", pendulum.parse(text, tz=timezone)).in_timezone(timezone)
    except (ValueError, AttributeError):
        raise AirflowFailException(f"The param {DATE_PARAM} {text!r} is not a date; write it like 2026-01-31") from None
    is_day = len(text) <= len("2026-01-31")
    cron = _cron_timetable(timetable)
    if cron is None:
        return moment, moment.add(days=1) if is_day else moment
    restriction = TimeRestriction(earliest=moment, latest=None, catchup=True)
    found = cron.next_dagrun_info(last_automated_data_interval=None, restriction=restriction).data_interval
    begins = _local(found.start, timezone)
    if begins != moment and not (is_day and begins.date() == moment.date()):
        found = cron.infer_manual_data_interval(run_after=found.start)
    return _local(found.start, timezone), _local(found.end, timezone)
