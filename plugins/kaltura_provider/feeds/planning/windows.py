"""The windows of a schedule: the intervals for which a feed runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pendulum

from kaltura_provider.feeds.planning.interval import Interval

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DateRangeError", "cron", "windows_between"]


class DateRangeError(ValueError):
    """A range of dates makes no sense, or is too long."""


def windows_between(
    schedule: str | None, timezone: str, begins: pendulum.DateTime, ends: pendulum.DateTime, *, maximum: int
) -> list[Interval]:
    """Return the windows that start between two moments, both included.

    :param schedule: a cron expression. Without one, there is one window a day.
    :raises DateRangeError: there are more than ``maximum`` windows.
    """
    found: list[Interval] = []
    for interval in _intervals(schedule, timezone, begins, ends):
        found.append(interval)
        if len(found) > maximum:
            what = f"the range of dates from {begins} to {ends} has more than {maximum:,} windows"
            raise DateRangeError(f"{what}; give a shorter one")
    return found


def cron(schedule: str, timezone: str) -> Any:
    """Return Airflow's timetable of a cron expression."""
    from airflow.timetables.interval import CronDataIntervalTimetable

    return CronDataIntervalTimetable(schedule, pendulum.timezone(timezone))


def _intervals(
    schedule: str | None, timezone: str, begins: pendulum.DateTime, ends: pendulum.DateTime
) -> Iterator[Interval]:
    if schedule is None:
        day = begins
        while day <= ends:
            yield Interval(day, day.add(days=1))
            day = day.add(days=1)
        return
    from airflow.timetables.base import TimeRestriction

    timetable = cron(schedule, timezone)
    restriction = TimeRestriction(earliest=begins, latest=ends, catchup=True)
    previous = None
    while info := timetable.next_dagrun_info(last_automated_data_interval=previous, restriction=restriction):
        previous = info.data_interval
        assert previous is not None  # noqa: S101 - only runs of other timetables have none
        yield Interval(_local(previous.start, timezone), _local(previous.end, timezone))


def _local(moment: Any, timezone: str) -> pendulum.DateTime:
    return cast("pendulum.DateTime", pendulum.instance(moment).in_timezone(timezone))
