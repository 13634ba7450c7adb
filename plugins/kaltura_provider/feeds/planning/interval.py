"""The interval that a run of a feed ingests, and Airflow's template names for it, in the feed's time zone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pendulum
from airflow.sdk.exceptions import AirflowFailException

from kaltura_provider.feeds.fields.years import YEARS, YEARS_TEXT

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
    "following_day",
    "interval_after",
    "intervals_around",
    "last_moment_of",
    "local",
    "run_interval",
    "runs_within_a_day",
]

DATE_PARAM = "date"
"""The param with the interval to ingest, for a run that is started by hand."""

DRY_RUN_PARAM = "dry_run"
"""The param for a run that only shows its plan."""

UNTIL_PARAM = "until"
"""The param for a dry run of several intervals: the last one. ``DATE_PARAM`` is the first."""

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
    cron = _cron_timetable(getattr(values.get("dag"), "timetable", None))
    if run.data_interval_start is not None:
        start, end = local(run.data_interval_start, timezone), local(run.data_interval_end, timezone)
        if cron is None or start != end:
            return Interval(start, end)
        # Where clocks are put forward, Airflow gives a run that is started by hand an empty interval.
        found = _last_ended(cron, end)
        return Interval(local(found.start, timezone), local(found.end, timezone))
    after = local(run.run_after, timezone)
    if cron is None:
        return Interval(after, after, "the run has no logical date, and the feed has no schedule")
    found = _last_ended(cron, after)
    return Interval(
        local(found.start, timezone),
        local(found.end, timezone),
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
    moment = interval.start if interval.reason or logical is None else local(logical, timezone)
    for name in _PREVIOUS:
        if name in values:
            # Each of these calls Airflow's API when it is used.
            values[name] = lazy_object_proxy.Proxy(lambda value=values[name]: value and local(value, timezone))
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


def local(moment: Any, timezone: str) -> pendulum.DateTime:
    """Return a moment in a time zone."""
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
    if moment.year not in YEARS:
        raise AirflowFailException(f"The param {name} {text!r} is not {YEARS_TEXT}")
    return last_moment_of(moment) if last and _is_day(text) else moment


def last_moment_of(day: pendulum.DateTime) -> pendulum.DateTime:
    """Return the last moment of a day, in UTC."""
    return following_day(day).in_timezone("UTC").subtract(microseconds=1)


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
    moment = chosen_moment(DATE_PARAM, text, timezone)
    is_day = _is_day(text)
    cron = _cron_timetable(timetable)
    if cron is None:
        return moment, following_day(moment) if is_day else moment
    found, following = intervals_around(cron, moment)
    begins_with_it = local(found.start, "UTC") == local(moment, "UTC")
    if is_day and not begins_with_it and local(following.start, timezone).date() == moment.date():
        found = following
    return local(found.start, timezone), local(found.end, timezone)


def intervals_around(cron: Any, moment: pendulum.DateTime) -> tuple[Any, Any]:
    """Return the interval of a schedule that contains a moment, and the next one.

    The scheduler makes each interval of the one before. The functions that make one of a moment give an empty one where
    clocks are put forward. Moments are compared in UTC: within a time zone, Python compares what clocks show, and the
    hour that comes twice shows the same.
    """
    instant = local(moment, "UTC")
    found = cron.infer_manual_data_interval(run_after=instant)
    while _is_empty(found):
        found = cron.infer_manual_data_interval(run_after=local(found.start, "UTC").subtract(days=1))
    while True:
        following = interval_after(cron, found)
        if local(following.start, "UTC") > instant:
            return found, following
        found = following


def interval_after(cron: Any, interval: Any) -> Any:
    """Return the next interval of a schedule."""
    from airflow.timetables.base import TimeRestriction

    everything = TimeRestriction(earliest=None, latest=None, catchup=True)
    return cron.next_dagrun_info(last_automated_data_interval=interval, restriction=everything).data_interval


def following_day(day: pendulum.DateTime) -> pendulum.DateTime:
    """Return the first moment of the next day. Where clocks are put forward at midnight, that is not midnight."""
    after = day.date().add(days=1)
    return pendulum.datetime(after.year, after.month, after.day, tz=day.timezone or "UTC")


def _is_empty(interval: Any) -> bool:
    return local(interval.start, "UTC") >= local(interval.end, "UTC")


def _last_ended(cron: Any, moment: pendulum.DateTime) -> Any:
    """Return the last interval of a schedule that ended before a moment, or at it."""
    begins = local(intervals_around(cron, moment)[0].start, "UTC")
    return intervals_around(cron, begins.subtract(microseconds=1))[0]
