"""The interval that a run of a feed ingests, and Airflow's template names for it, in the feed's time zone."""

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
    "UNTIL_PARAM",
    "Interval",
    "asks_for_interval",
    "chosen_moment",
    "feed_context",
    "run_interval",
    "runs_within_a_day",
]

DATE_PARAM = "date"
"""The param with the interval to ingest, for a run that is started by hand."""

DRY_RUN_PARAM = "dry_run"
"""The param for a run that only shows its plan."""

UNTIL_PARAM = "until"
"""The param for a dry run of several intervals: the last one. ``DATE_PARAM`` is the first."""

_FIRST_YEAR, _LAST_YEAR = 1970, 2999
_PREVIOUS = (
    "prev_data_interval_start_success",
    "prev_data_interval_end_success",
    "prev_start_date_success",
    "prev_end_date_success",
)


@dataclass(frozen=True, slots=True)
class Interval:
    """From ``start`` until before ``end``, in the feed's time zone.

    :param reason: why it is this interval, if not because of the run's logical date.
    """

    start: pendulum.DateTime
    end: pendulum.DateTime
    reason: str | None = None

    def __str__(self) -> str:
        """Both moments and the time zone."""
        return f"{self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M} {self.start.timezone_name}"


def run_interval(context: Context, timezone: str) -> Interval:
    """Return the interval that a run ingests.

    For a run started by hand with a ``date`` param, this is the interval of that date. For any other run with a logical
    date, it is the data interval that Airflow gave it. Otherwise it is the last interval that ended before the run.

    :raises AirflowFailException: the ``date`` param is not a date.
    """
    values = cast("dict[str, Any]", context)
    run = values["dag_run"]
    date = dict(values.get("params") or {}).get(DATE_PARAM)
    if date and run.run_type == "manual":
        return Interval(*_interval_of(str(date), values["dag"].timetable, timezone), f"param {DATE_PARAM} is {date}")
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
    """Return whether a run was started for a certain interval, by a backfill or by a date in the trigger form."""
    values = cast("dict[str, Any]", context)
    run_type = values["dag_run"].run_type
    date = dict(values.get("params") or {}).get(DATE_PARAM)
    return bool(run_type == "backfill" or (date and run_type == "manual"))


def feed_context(context: Context, timezone: str | None) -> Context:
    """Return a template context whose dates are in a time zone and name the interval of :func:`run_interval`.

    :param timezone: the time zone of the feed. ``None`` returns the context unchanged.
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
            # Each of these calls Airflow's API when it is used.
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
    """Return whether a cron schedule has several intervals per day."""
    if schedule is None or schedule.startswith("@"):
        return schedule == "@hourly"
    minute, hour = schedule.split()[:2]
    return not (minute.isdecimal() and hour.isdecimal())


def _local(moment: Any, timezone: str) -> pendulum.DateTime:
    return cast("pendulum.DateTime", pendulum.instance(moment).in_timezone(timezone))


def chosen_moment(name: str, text: str, timezone: str, *, last: bool = False) -> pendulum.DateTime:
    """Return the moment that a param names, in the feed's time zone.

    :param last: whether a day stands for its last moment. Otherwise it stands for its first.
    :raises AirflowFailException: the value is not a date.
    """
    try:
        moment = cast("pendulum.DateTime", pendulum.parse(text, tz=timezone)).in_timezone(timezone)
    except (ValueError, OverflowError, AttributeError):
        raise AirflowFailException(f"The param {name} {text!r} is not a date; write it like 2026-01-31") from None
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise AirflowFailException(f"The param {name} {text!r} is not between {_FIRST_YEAR} and {_LAST_YEAR}")
    return moment.add(days=1).subtract(microseconds=1) if last and _is_day(text) else moment


def _is_day(text: str) -> bool:
    return len(text) <= len("2026-01-31")


def _cron_timetable(timetable: Any) -> Any:
    """Return the scheduler's class for a DAG's cron timetable, or ``None`` if the DAG has no schedule."""
    if not hasattr(timetable, "expression"):
        return None
    from airflow.timetables.interval import CronDataIntervalTimetable

    return CronDataIntervalTimetable(timetable.expression, timetable.timezone)


def _interval_of(text: str, timetable: Any, timezone: str) -> tuple[pendulum.DateTime, pendulum.DateTime]:
    """Return the interval that begins on a day or at a moment, else the interval that contains it."""
    from airflow.timetables.base import TimeRestriction

    moment = chosen_moment(DATE_PARAM, text, timezone)
    is_day = _is_day(text)
    cron = _cron_timetable(timetable)
    if cron is None:
        return moment, moment.add(days=1) if is_day else moment
    restriction = TimeRestriction(earliest=moment, latest=None, catchup=True)
    found = cron.next_dagrun_info(last_automated_data_interval=None, restriction=restriction).data_interval
    begins = _local(found.start, timezone)
    if begins != moment and not (is_day and begins.date() == moment.date()):
        found = cron.infer_manual_data_interval(run_after=found.start)
    return _local(found.start, timezone), _local(found.end, timezone)
